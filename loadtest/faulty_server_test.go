//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// faulty is a WebSocket server that makes mistakes on purpose, from a fixed seed,
// and counts them. One of n is wrong where a field says n; 0 means never.
type faulty struct {
	refuse  int // answer the handshake with 503
	corrupt int // change a byte of an echo
	mute    int // do not answer
	twice   int // answer an echo twice
	drop    int // lose a broadcast
	double  int // send a broadcast twice
	swap    int // send a broadcast behind the next one
	damage  int // change a byte of a broadcast
	last    int // number of broadcasts to come: the last can't be swapped

	lag  time.Duration // for which the broadcast number late, from 0, is held back
	late int

	mu    sync.Mutex // guards the following
	rng   *rand.Rand
	conns []*faultyConn
	sent  int // broadcasts
	made  struct{ refused, corrupted, muted, doubledEchoes, dropped, doubled, swapped, damaged int64 }
}

type faultyConn struct {
	ws     *websocket.Conn
	number string // of the connection in its run, once it has sent an echo request
	held   []byte // a broadcast that waits for the next one
	log    []string
}

func (f *faulty) start(t *testing.T) (url, publish string) {
	t.Helper()
	return f.startOn(t, "127.0.0.1:0")
}

func (f *faulty) startOn(t *testing.T, addr string) (url, publish string) {
	t.Helper()
	f.rng = rand.New(rand.NewPCG(42, 42))
	mux := http.NewServeMux()
	mux.HandleFunc("/", f.serve)
	mux.HandleFunc("POST /publish", f.publish)
	ln, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(mux)
	s.Listener.Close()
	s.Listener = ln
	s.Start()
	t.Cleanup(func() {
		f.mu.Lock()
		for _, c := range f.conns {
			c.ws.Close()
		}
		f.mu.Unlock()
		s.Close()
	})
	return strings.Replace(s.URL, "http", "ws", 1), s.URL + "/publish"
}

// chance is true once in n; f.mu is held.
func (f *faulty) chance(n int, count *int64) bool {
	if n == 0 || f.rng.IntN(n) != 0 {
		return false
	}
	*count++
	return true
}

func (f *faulty) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	refused := f.chance(f.refuse, &f.made.refused)
	f.mu.Unlock()
	if refused {
		http.Error(w, "full", http.StatusServiceUnavailable)
		return
	}
	upgrader := websocket.Upgrader{}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	f.mu.Lock()
	c := &faultyConn{ws: ws}
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	defer ws.Close()
	for {
		messageType, p, err := ws.ReadMessage()
		if err != nil {
			return
		}
		f.answer(c, messageType, p)
	}
}

func (f *faulty) answer(c *faultyConn, messageType int, request []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fields := strings.Fields(string(request)); len(fields) > 3 { // wsload echo <run> <connection> …
		c.number = fields[3]
	}
	p := append([]byte("Server received: "), request...)
	if f.chance(f.mute, &f.made.muted) {
		return
	}
	if f.chance(f.corrupt, &f.made.corrupted) {
		p[f.rng.IntN(len(p))] ^= 1
	}
	_ = c.ws.WriteMessage(messageType, p)
	if f.chance(f.twice, &f.made.doubledEchoes) {
		_ = c.ws.WriteMessage(messageType, p)
	}
}

// publish sends to all, with the faults, no more than one to a broadcast on a
// connection.
func (f *faulty) publish(_ http.ResponseWriter, r *http.Request) {
	p, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lag > 0 && f.sent == f.late {
		time.Sleep(f.lag)
	}
	for _, c := range f.conns {
		switch {
		case c.held != nil: // whose fault is a swap
			c.send(p)
			c.send(c.held)
			c.held = nil
		case f.chance(f.drop, &f.made.dropped):
			c.note("lost", f.sent)
		case f.sent < f.last-1 && f.chance(f.swap, &f.made.swapped):
			c.note("reordered", f.sent)
			c.held = p
		case f.chance(f.double, &f.made.doubled):
			c.note("duplicated", f.sent)
			c.send(p)
			c.send(p)
		case f.chance(f.damage, &f.made.damaged):
			c.note("lost", f.sent)
			wrong := bytes.Clone(p)
			wrong[f.rng.IntN(len(p))] ^= 1 << f.rng.IntN(7) // still ASCII
			c.send(wrong)
		default:
			c.send(p)
		}
	}
	f.sent++
}

func (c *faultyConn) send(p []byte) { _ = c.ws.WriteMessage(websocket.TextMessage, p) }

// note logs a fault.
func (c *faultyConn) note(what string, broadcast int) {
	c.log = append(c.log, fmt.Sprintf("%s %d", what, broadcast))
}

// closeAll sends a close frame to n connections.
func (f *faulty) closeAll(n, code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns[:n] {
		_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "restart"), time.Now().Add(time.Second))
	}
}
