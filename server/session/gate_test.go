//go:build linux

package session_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// testGate says what a test wants, and counts the holds that are out.
type testGate struct {
	arrive, admit error
	preamble      string // is wanted before each request
	expires       time.Time
	held          atomic.Int64
}

const (
	holdNew session.Hold = 1 + iota
	holdPast
	holdAdmitted
)

func (g *testGate) Arrive(peer *netpoll.Conn) (session.Hold, error) {
	if g.arrive != nil {
		return 0, g.arrive
	}
	if addr, err := peer.RemoteAddr(); err != nil || !addr.Addr().IsLoopback() {
		return 0, &session.Refusal{Why: session.RejectMalformed, Text: "not from this machine"}
	}
	g.held.Add(1)
	return holdNew, nil
}

func (g *testGate) Preamble(hold session.Hold, p []byte) (int, session.Hold, error) {
	n := min(len(g.preamble), len(p))
	switch {
	case hold == holdPast:
		return 0, hold, nil
	case string(p[:n]) != g.preamble[:n]:
		return 0, hold, &session.Refusal{Why: session.RejectProxyHeader}
	case n < len(g.preamble):
		return -1, hold, nil
	}
	return n, holdPast, nil
}

func (g *testGate) Admit(hold session.Hold, _ *http.Request) (session.Hold, time.Time, error) {
	if hold != holdPast {
		panic("the preamble was not asked for")
	}
	return holdAdmitted, g.expires, g.admit
}

func (g *testGate) Leave(session.Hold) { g.held.Add(-1) }

func gated(t *testing.T, g *testGate, interval time.Duration) *server {
	cfg := defaults()
	cfg.Gate, cfg.HeartbeatInterval = g, interval
	return start(t, cfg)
}

func (g *testGate) requireAllLeft(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return g.held.Load() == 0 }, 10*time.Second, time.Millisecond)
}

func TestGateHearsOfEveryEnd(t *testing.T) {
	g := &testGate{}
	s := gated(t, g, 0)
	open, silent, early := s.open(t), s.connect(t), s.connect(t)
	early.send([]byte("GET / HT"))
	require.Eventually(t, func() bool { return g.held.Load() == 3 }, 5*time.Second, time.Millisecond)
	open.Close()
	silent.Close()
	early.Close()
	g.requireAllLeft(t)
	p := s.connect(t)
	p.send([]byte("POST / HTTP/1.1\r\nHost: h\r\n\r\n"))
	require.Equal(t, http.StatusMethodNotAllowed, p.response().StatusCode)
	p.Close()
	g.requireAllLeft(t)
}

func TestGateRefusesOnArrival(t *testing.T) {
	s := gated(t, &testGate{arrive: &session.Refusal{Why: session.RejectAddressConnections, Text: "enough", RetryAfter: 1500 * time.Millisecond}}, 0)
	resp := s.connect(t).response()
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.Equal(t, "2", resp.Header.Get("Retry-After"), "rounded up")
	require.EqualValues(t, 1, s.shard.Stats().Rejected[session.RejectAddressConnections].Load())
	require.Eventually(t, func() bool { return s.loop.Stats().Conns.Load() == 0 }, 5*time.Second, time.Millisecond)
}

func TestGateRefusesTheHandshake(t *testing.T) {
	g := &testGate{admit: &session.Refusal{Why: session.RejectTokenMissing, Text: "no token", Challenge: `Bearer realm="x"`}}
	s := gated(t, g, 0)
	p := s.connect(t)
	p.send([]byte(goodRequest + "\r\n"))
	resp := p.response()
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Equal(t, `Bearer realm="x"`, resp.Header.Get("WWW-Authenticate"))
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "no token\n", string(body))
	require.Equal(t, "eof", p.next())
	p.Close()
	g.requireAllLeft(t)
	require.Empty(t, s.app.ended(), "it was never open")
	require.EqualValues(t, 1, s.shard.Stats().Rejected[session.RejectTokenMissing].Load())
	require.Zero(t, s.shard.Stats().Rejected[session.RejectGone].Load())
}

func TestPreambleIsTakenOff(t *testing.T) {
	s := gated(t, &testGate{preamble: "FROM somewhere\n"}, 0)
	whole := "FROM somewhere\n" + goodRequest + "\r\n"
	for cut := range len(whole) {
		if cut > 20 && cut%40 != 0 {
			continue
		}
		p := s.connect(t)
		p.send([]byte(whole[:cut]))
		if cut > 0 {
			bytesIn := s.loop.Stats().BytesRead.Load()
			require.Eventually(t, func() bool { return s.loop.Stats().BytesRead.Load() >= bytesIn }, time.Second, time.Millisecond)
			time.Sleep(time.Millisecond) // so that it is usually read in two parts
		}
		p.send(append([]byte(whole[cut:]), text("early")...))
		require.Equal(t, http.StatusSwitchingProtocols, p.response().StatusCode, "cut at %d", cut)
		require.Equal(t, `text "early"`, p.next())
	}
}

func TestBadPreambleGetsNoAnswer(t *testing.T) {
	g := &testGate{preamble: "FROM somewhere\n"}
	s := gated(t, g, 0)
	p := s.connect(t)
	p.send([]byte("FROM nowhere"))
	_, err := p.r.ReadByte()
	require.Error(t, err)
	g.requireAllLeft(t)
	require.EqualValues(t, 1, s.shard.Stats().Rejected[session.RejectProxyHeader].Load())
	require.Zero(t, s.shard.Stats().Rejected[session.RejectGone].Load())
}

func TestSessionExpires(t *testing.T) {
	for name, interval := range map[string]time.Duration{
		"without heartbeat": 0, "between heartbeats": time.Hour, "after heartbeats": 100 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &testGate{expires: time.Now().Add(2 * time.Second)}
			s := gated(t, g, interval)
			p := s.open(t)
			last := p.next()
			for last[:4] == "ping" {
				last = p.next()
			}
			require.Equal(t, "close 1008 token expired", last)
			// Not before: seconds are what a token has.
			require.False(t, time.Now().Before(g.expires.Truncate(time.Second)))
			p.send(closeFrame(frame.ClosePolicy, ""))
			require.Equal(t, "eof", p.next())
			g.requireAllLeft(t)
			require.Equal(t, []session.Reason{session.ReasonTokenExpired}, s.app.ended())
		})
	}
}

// A session that does not expire is left alone.
func TestLongExpiry(t *testing.T) {
	for _, expires := range []time.Time{time.Now().Add(time.Hour), time.Unix(1<<40, 0)} {
		s := gated(t, &testGate{expires: expires}, 100*time.Millisecond)
		p := s.open(t)
		for range 3 {
			require.Equal(t, "ping", p.next()[:4])
		}
	}
}

func TestRetryAfterHasJitter(t *testing.T) {
	cfg := defaults()
	cfg.RetryAfter = 20 * time.Second
	s := start(t, cfg)
	s.SetDraining()
	seen := map[int]bool{}
	for range 30 {
		p := s.connect(t)
		p.send([]byte(goodRequest + "\r\n"))
		seconds, err := strconv.Atoi(p.response().Header.Get("Retry-After"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, seconds, 20)
		require.LessOrEqual(t, seconds, 40)
		seen[seconds] = true
		p.Close()
	}
	require.Greater(t, len(seen), 3)
}

func TestSubprotocol(t *testing.T) {
	cfg := defaults()
	cfg.Subprotocols = []string{"bearer"}
	s := start(t, cfg)
	for offer, want := range map[string]string{"bearer, abc.def.ghi": "bearer", "chat": "", "chat, bearer": "bearer"} {
		p := s.connect(t)
		p.send([]byte(goodRequest + "Sec-WebSocket-Protocol: " + offer + "\r\n\r\n"))
		resp := p.response()
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		require.Equal(t, want, resp.Header.Get("Sec-WebSocket-Protocol"), offer)
	}
}

func TestMalformedRequests(t *testing.T) {
	s := start(t, defaults())
	for name, c := range map[string]struct {
		request string
		status  int
		why     session.Rejection
	}{
		"TLS":                  {"\x16\x03\x01\x02\x00\x01\x00", 400, session.RejectMalformed},
		"noise, no line end":   {"\x00\x01\x02\x03", 400, session.RejectMalformed},
		"an empty line first":  {"\r\n" + goodRequest, 400, session.RejectMalformed},
		"two words":            {"GET /\r\nHost: h\r\n\r\n", 400, session.RejectMalformed},
		"no path":              {"GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400, session.RejectMalformed},
		"bad escape":           {strings.Replace(goodRequest, "GET /", "GET /%zz", 1) + "\r\n", 400, session.RejectMalformed},
		"unknown version":      {strings.Replace(goodRequest, "HTTP/1.1", "HTTP/x.y", 1) + "\r\n", 400, session.RejectMalformed},
		"HTTP/1.0":             {strings.Replace(goodRequest, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", 505, session.RejectVersion},
		"HTTP/2.0":             {strings.Replace(goodRequest, "HTTP/1.1", "HTTP/2.0", 1) + "\r\n", 505, session.RejectVersion},
		"no Host":              {strings.Replace(goodRequest, "Host: h\r\n", "", 1) + "\r\n", 400, session.RejectMalformed},
		"two Hosts":            {goodRequest + "HOST: other\r\n\r\n", 400, session.RejectMalformed},
		"no colon":             {goodRequest + "Cookie\r\n\r\n", 400, session.RejectMalformed},
		"space before colon":   {goodRequest + "Cookie : a\r\n\r\n", 400, session.RejectMalformed},
		"control in a value":   {goodRequest + "Cookie: a\x00b\r\n\r\n", 400, session.RejectMalformed},
		"control in a name":    {goodRequest + "Coo\x01kie: a\r\n\r\n", 400, session.RejectMalformed},
		"with a body":          {goodRequest + "Content-Length: 5\r\n\r\nhello", 400, session.RejectMalformed},
		"with a chunked body":  {goodRequest + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, session.RejectMalformed},
		"bad content length":   {goodRequest + "Content-Length: -1\r\n\r\n", 400, session.RejectMalformed},
		"two keys, one bad":    {strings.Replace(goodRequest, "Sec-WebSocket-Key:", "Sec-WebSocket-Key: x\r\nSec-WebSocket-Key:", 1) + "\r\n", 400, session.RejectMalformed},
		"upgrade to h2c":       {strings.Replace(goodRequest, "websocket", "h2c", 1) + "\r\n", 426, session.RejectNotWebSocket},
		"version 13.1":         {strings.Replace(goodRequest, "Version: 13", "Version: 13.1", 1) + "\r\n", 426, session.RejectNotWebSocket},
		"CONNECT":              {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 404, session.RejectNotFound},
		"endless request line": {"GET /" + strings.Repeat("a", 5000), 431, session.RejectTooLarge},
		"path with dots":       {strings.Replace(goodRequest, "GET /", "GET /a/..", 1) + "\r\n", 404, session.RejectNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.shard.Stats().Rejected[c.why].Load()
			p := s.connect(t)
			p.send([]byte(c.request))
			resp := p.response()
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, before+1, s.shard.Stats().Rejected[c.why].Load())
			_, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "eof", p.next())
		})
	}
}

// A million sessions are a million times this: beyond 112 bytes each takes the
// next size class.
func TestSizeOfASession(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(session.Session{}), uintptr(112))
}
