//go:build linux

package session_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// echoApp answers every message with itself and remembers how sessions ended.
type echoApp struct {
	mu      sync.Mutex
	reasons []session.Reason
}

func (*echoApp) Open(*session.Session, *http.Request) {}
func (*echoApp) Message(s *session.Session, op frame.Opcode, p []byte) {
	s.Send(op, p)
}
func (a *echoApp) Close(_ *session.Session, why session.Reason) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reasons = append(a.reasons, why)
}

func (a *echoApp) ended() []session.Reason {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]session.Reason(nil), a.reasons...)
}

// server is a session server on a loop of its own.
type server struct {
	*session.Server
	shard *session.Shard
	loop  *netpoll.Loop
	app   *echoApp
	addr  netip.AddrPort
}

func defaults() session.Config {
	return session.Config{
		HandshakeTimeout: 5 * time.Second, HandshakeLimit: 4096, ReadLimit: 1 << 20,
		Paths: []string{"/"}, RetryAfter: 5 * time.Second,
	}
}

func start(t *testing.T, cfg session.Config) *server {
	t.Helper()
	loop, err := netpoll.New(netpoll.Config{MaxQueue: 4 << 20})
	require.NoError(t, err)
	s := &server{Server: session.NewServer(cfg), loop: loop, app: &echoApp{}}
	s.shard = s.NewShard(loop)
	ln, err := loop.Listen(netip.MustParseAddrPort("127.0.0.1:0"), netpoll.ListenOptions{}, func(fd int) {
		s.shard.Accept(fd, &session.Session{}, s.app)
	})
	require.NoError(t, err)
	s.addr = ln.Addr()
	done := make(chan error, 1)
	go func() { done <- loop.Run() }()
	t.Cleanup(func() { loop.Stop(); require.NoError(t, <-done) })
	return s
}

const goodRequest = "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// peer is a client that does exactly what a test tells it.
type peer struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (s *server) connect(t *testing.T) *peer {
	t.Helper()
	c, err := net.Dial("tcp", s.addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	return &peer{c, t, bufio.NewReader(c)}
}

// open connects and does the handshake.
func (s *server) open(t *testing.T) *peer {
	t.Helper()
	p := s.connect(t)
	p.send([]byte(goodRequest + "\r\n"))
	require.Equal(t, http.StatusSwitchingProtocols, p.response().StatusCode)
	return p
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	_, err := p.Write(b)
	require.NoError(p.t, err)
}

func (p *peer) response() *http.Response {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	require.NoError(p.t, err)
	return resp
}

// next reads one frame from the server and describes it, "eof" at the end.
func (p *peer) next() string {
	p.t.Helper()
	h, payload, err := p.frame()
	if err != nil {
		return "eof"
	}
	if h.Opcode == frame.Close {
		code, reason, ok := frame.ParseClose(payload)
		if !ok {
			return "malformed close"
		}
		if reason != "" {
			return fmt.Sprintf("close %d %s", code, reason)
		}
		return fmt.Sprintf("close %d", code)
	}
	name := map[frame.Opcode]string{frame.Text: "text", frame.Binary: "binary", frame.Ping: "ping", frame.Pong: "pong"}[h.Opcode]
	return fmt.Sprintf("%s %q", name, payload)
}

func (p *peer) frame() (frame.Header, []byte, error) {
	var head []byte
	for {
		b, err := p.r.ReadByte()
		if err != nil {
			return frame.Header{}, nil, err
		}
		head = append(head, b)
		h, size, err := frame.Parse(head)
		require.NoError(p.t, err)
		if size == 0 {
			continue
		}
		require.False(p.t, h.Masked, "a server must not mask")
		payload := make([]byte, h.Length)
		_, err = io.ReadFull(p.r, payload)
		return h, payload, err
	}
}

var key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// masked builds a client's frame from its parts.
func masked(final bool, rsv byte, op frame.Opcode, payload string) []byte {
	b := frame.AppendHeader(nil, frame.Header{Final: final, RSV: rsv, Opcode: op, Masked: true, Key: key, Length: uint64(len(payload))})
	start := len(b)
	b = append(b, payload...)
	frame.Mask(key, b[start:])
	return b
}

func text(s string) []byte { return masked(true, 0, frame.Text, s) }

func closeFrame(code frame.CloseCode, reason string) []byte {
	return masked(true, 0, frame.Close, string(frame.ClosePayload(code, reason)))
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
