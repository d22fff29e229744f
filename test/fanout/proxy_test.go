//go:build linux

package fanout

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// proxy stands between the nodes and a Redis.
type proxy struct {
	url     string
	server  string       // host:port
	delay   atomic.Int64 // ns, for which what the server says is held back
	garbage atomic.Bool  // nonsense takes the place of what the server says
}

func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	p := &proxy{server: server}
	p.url = "redis://" + tcptest.Serve(t, p.serve).String() + "/0"
	return p
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	p.answer(client, server)
	client.Close()
	<-ended
}

// answer hands on what the server says, until one end is gone.
func (p *proxy) answer(client, server net.Conn) {
	type piece struct {
		due   time.Time
		bytes []byte
	}
	pieces := make(chan piece, 1<<16) // the delay must not throttle as well
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 32<<10)
			n, err := server.Read(b)
			if n > 0 {
				pieces <- piece{time.Now().Add(time.Duration(p.delay.Load())), b[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	failed := error(nil)
	for piece := range pieces {
		if failed != nil {
			continue // until the server's end is noticed too
		}
		time.Sleep(time.Until(piece.due))
		if p.garbage.Load() {
			scramble(piece.bytes)
		}
		if _, failed = client.Write(piece.bytes); failed != nil && !errors.Is(failed, net.ErrClosed) {
			server.Close()
		}
	}
}

// scramble makes nonsense of what a Redis says. Half of the time it is a line of it: the
// other half leaves who reads it waiting for the end of one.
func scramble(p []byte) {
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	if rand.IntN(2) == 0 {
		copy(p[max(0, len(p)-2):], "\r\n")
	}
}
