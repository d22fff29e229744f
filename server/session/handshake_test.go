//go:build linux

package session_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

func TestHandshakeAccepts(t *testing.T) {
	s := start(t, defaults())
	p := s.connect(t)
	p.send([]byte(goodRequest + "Origin: http://anywhere.example\r\n\r\n"))
	resp := p.response()
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	// The key and its answer are the example of RFC 6455 section 1.3.
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", resp.Header.Get("Sec-WebSocket-Accept"))
	require.Equal(t, "websocket", resp.Header.Get("Upgrade"))
}

// A client may send its first frame together with its handshake.
func TestFrameWithTheHandshake(t *testing.T) {
	s := start(t, defaults())
	p := s.connect(t)
	p.send(append([]byte(goodRequest+"\r\n"), text("early")...))
	require.Equal(t, http.StatusSwitchingProtocols, p.response().StatusCode)
	require.Equal(t, `text "early"`, p.next())
}

func TestHandshakeInPieces(t *testing.T) {
	s := start(t, defaults())
	p := s.connect(t)
	for _, b := range []byte(goodRequest + "\r\n") {
		p.send([]byte{b})
	}
	require.Equal(t, http.StatusSwitchingProtocols, p.response().StatusCode)
}

func TestHandshakeRefusals(t *testing.T) {
	cfg := defaults()
	cfg.AllowOrigin = func(origin string) bool { return origin == "https://app.example" }
	s := start(t, cfg)
	without := func(line string) string {
		i := strings.Index(goodRequest, line)
		return goodRequest[:i] + goodRequest[i+strings.Index(goodRequest[i:], "\r\n")+2:]
	}
	for name, c := range map[string]struct {
		request string
		status  int
		why     session.Rejection
	}{
		"not HTTP":           {"hello\r\n", 400, session.RejectMalformed},
		"no upgrade":         {without("Upgrade:"), 426, session.RejectNotWebSocket},
		"no connection":      {without("Connection:"), 400, session.RejectMalformed},
		"no version":         {without("Sec-WebSocket-Version"), 426, session.RejectNotWebSocket},
		"version 8":          {strings.Replace(goodRequest, "13", "8", 1), 426, session.RejectNotWebSocket},
		"no key":             {without("Sec-WebSocket-Key"), 400, session.RejectMalformed},
		"short key":          {strings.Replace(goodRequest, "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 1), 400, session.RejectMalformed},
		"POST":               {strings.Replace(goodRequest, "GET", "POST", 1), 405, session.RejectMethod},
		"unknown path":       {strings.Replace(goodRequest, "GET /", "GET /nope", 1), 404, session.RejectNotFound},
		"foreign origin":     {goodRequest + "Origin: https://evil.example\r\n", 403, session.RejectOrigin},
		"header too large":   {goodRequest + "X: " + strings.Repeat("x", 5000) + "\r\n", 431, session.RejectTooLarge},
		"allowed origin":     {goodRequest + "Origin: https://app.example\r\n", 101, 0},
		"no origin, no page": {goodRequest, 101, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.shard.Stats().Rejected[c.why].Load()
			p := s.connect(t)
			p.send([]byte(c.request + "\r\n"))
			resp := p.response()
			require.Equal(t, c.status, resp.StatusCode)
			if c.status == 101 {
				return
			}
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NotEmpty(t, strings.TrimSpace(string(body)), "the refusal says why")
			require.Equal(t, before+1, s.shard.Stats().Rejected[c.why].Load())
			_, err = p.r.ReadByte()
			require.ErrorIs(t, err, io.EOF, "closed without a reset")
		})
	}
}

func TestHandshakeTimeout(t *testing.T) {
	cfg := defaults()
	cfg.HandshakeTimeout = 200 * time.Millisecond
	s := start(t, cfg)
	p := s.connect(t)
	p.send([]byte("GET / HTTP/1.1\r\n"))
	require.Equal(t, http.StatusRequestTimeout, p.response().StatusCode)
}

func TestCapacityAndDraining(t *testing.T) {
	cfg := defaults()
	cfg.MaxConnections = 2
	s := start(t, cfg)
	first := s.open(t)
	s.open(t)
	refused := s.connect(t)
	refused.send([]byte(goodRequest + "\r\n"))
	resp := refused.response()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Regexp(t, "^([5-9]|10)$", resp.Header.Get("Retry-After"))
	refused.Close()

	first.send(closeFrame(frame.CloseNormal, ""))
	require.Equal(t, "close 1000", first.next())
	require.Eventually(t, func() bool { return s.loop.Stats().Conns.Load() == 1 }, 5*time.Second, time.Millisecond)
	s.open(t)

	s.SetDraining()
	late := s.connect(t)
	late.send([]byte(goodRequest + "\r\n"))
	require.Equal(t, http.StatusServiceUnavailable, late.response().StatusCode)
}

// Connections far beyond the limit are refused before they said anything, and so are
// those that would take memory where it is short. Sessions that are open do not count.
func TestRefusedUnread(t *testing.T) {
	for name, limit := range map[string]func(cfg *session.Config, short *atomic.Bool){
		"capacity": func(cfg *session.Config, _ *atomic.Bool) { cfg.MaxConnections = 1 },
		"memory":   func(cfg *session.Config, short *atomic.Bool) { cfg.MemoryShort = short.Load },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := defaults()
			var short atomic.Bool
			limit(&cfg, &short)
			s := start(t, cfg)
			s.open(t)
			short.Store(true)
			for range 64 {
				s.connect(t)
			}
			require.Eventually(t, func() bool { return s.loop.Stats().Conns.Load() == 65 }, 5*time.Second, time.Millisecond)
			resp := s.connect(t).response()
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
			require.NotEmpty(t, resp.Header.Get("Retry-After"))
		})
	}
}
