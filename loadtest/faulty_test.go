//go:build linux

package main

import (
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

	"github.com/wsfleet/wsfleet/loadtest/report"
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
	last    int // number of broadcasts to come: the last can't be swapped

	mu    sync.Mutex // guards the following
	rng   *rand.Rand
	conns []*faultyConn
	sent  int // broadcasts
	made  struct{ refused, corrupted, muted, doubledEchoes, dropped, doubled, swapped int64 }
}

type faultyConn struct {
	ws   *websocket.Conn
	held []byte // a broadcast that waits for the next one
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
	f.conns = append(f.conns, &faultyConn{ws: ws})
	f.mu.Unlock()
	defer ws.Close()
	for {
		messageType, p, err := ws.ReadMessage()
		if err != nil {
			return
		}
		f.answer(ws, messageType, append([]byte("Server received: "), p...))
	}
}

func (f *faulty) answer(ws *websocket.Conn, messageType int, p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.chance(f.mute, &f.made.muted) {
		return
	}
	if f.chance(f.corrupt, &f.made.corrupted) {
		p[f.rng.IntN(len(p))] ^= 1
	}
	_ = ws.WriteMessage(messageType, p)
	if f.chance(f.twice, &f.made.doubledEchoes) {
		_ = ws.WriteMessage(messageType, p)
	}
}

// publish sends to all, with the faults.
func (f *faulty) publish(_ http.ResponseWriter, r *http.Request) {
	p, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent++
	for _, c := range f.conns {
		switch {
		case f.chance(f.drop, &f.made.dropped):
		case c.held == nil && f.sent < f.last && f.chance(f.swap, &f.made.swapped):
			c.held = p
			continue
		default:
			_ = c.ws.WriteMessage(websocket.TextMessage, p)
			if f.chance(f.double, &f.made.doubled) {
				_ = c.ws.WriteMessage(websocket.TextMessage, p)
			}
		}
		if c.held != nil {
			_ = c.ws.WriteMessage(websocket.TextMessage, c.held)
			c.held = nil
		}
	}
}

// closeAll sends a close frame to n connections.
func (f *faulty) closeAll(n, code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns[:n] {
		_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "restart"), time.Now().Add(time.Second))
	}
}

// expected checks that the run failed on exactly these expectations.
func expected(t *testing.T, r *result, failed ...string) {
	t.Helper()
	var got []string
	for _, o := range r.report.Expectations {
		if !o.OK {
			got = append(got, fmt.Sprintf("%s: %v", o.Text, o.Value))
			require.Contains(t, r.stderr.String(), fmt.Sprintf("wsload: expected %s, but it is %s\n", o.Text, number(o.Value)))
		}
	}
	require.Equal(t, failed, got)
	require.Equal(t, exitFailed, r.status)
	require.False(t, r.report.OK)
}

func TestLostBroadcastsAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{drop: 50}
	url, publish := f.start(t)
	r := load(t, "-a", "200", "-w", "2", "-timeout", "1s", "-echo=false", "-broadcasts", "20", "-broadcast-rate", "100", "-publish", publish, url)
	require.Greater(t, f.made.dropped, int64(20))
	b := r.report.Broadcast
	require.Equal(t, f.made.dropped, b.Lost)
	require.Equal(t, 4000-f.made.dropped, b.Delivered)
	require.EqualValues(t, 4000, b.Expected)
	require.Zero(t, b.Duplicated+b.Reordered+b.BroadcastCounts.Corrupted+b.LostClosed)
	expected(t, r, fmt.Sprintf("broadcast.delivered == 4000: %d", b.Delivered), fmt.Sprintf("broadcast.lost == 0: %d", b.Lost))
}

func TestDoubledBroadcastsAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{double: 40}
	url, publish := f.start(t)
	r := load(t, "-a", "200", "-w", "2", "-echo=false", "-broadcasts", "20", "-broadcast-rate", "100", "-publish", publish, url)
	require.Greater(t, f.made.doubled, int64(20))
	b := r.report.Broadcast
	require.Equal(t, f.made.doubled, b.Duplicated)
	require.EqualValues(t, 4000, b.Delivered)
	require.Zero(t, b.Lost+b.Reordered)
	require.Positive(t, b.Affected)
	expected(t, r, fmt.Sprintf("broadcast.duplicated == 0: %d", b.Duplicated))
}

func TestSwappedBroadcastsAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{swap: 40, last: 20}
	url, publish := f.start(t)
	r := load(t, "-a", "200", "-w", "2", "-echo=false", "-broadcasts", "20", "-broadcast-rate", "100", "-publish", publish, url)
	require.Greater(t, f.made.swapped, int64(20))
	b := r.report.Broadcast
	require.Equal(t, f.made.swapped, b.Reordered)
	require.EqualValues(t, 4000, b.Delivered)
	require.Zero(t, b.Lost+b.Duplicated)
	expected(t, r, fmt.Sprintf("broadcast.reordered == 0: %d", b.Reordered))
}

func TestWrongEchoesAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{corrupt: 10, mute: 15, twice: 20}
	url, _ := f.start(t)
	r := load(t, "-a", "500", "-w", "2", "-timeout", "1s", "-hold", "200ms", url)
	require.Positive(t, f.made.corrupted)
	require.Positive(t, f.made.muted)
	require.Positive(t, f.made.doubledEchoes)
	want := report.EchoCounts{
		Sent: 500, OK: 500 - f.made.corrupted - f.made.muted,
		Corrupted: f.made.corrupted, Timeout: f.made.muted, Unexpected: f.made.doubledEchoes,
	}
	require.Equal(t, want, r.report.Echo.EchoCounts)
	require.Zero(t, r.report.Foreign)
	expected(t, r, fmt.Sprintf("echo.ok == planned: %d", want.OK),
		fmt.Sprintf("echo.corrupted == 0: %d", want.Corrupted), fmt.Sprintf("echo.unexpected == 0: %d", want.Unexpected))
}

func TestRefusedHandshakesAreCountedByStatus(t *testing.T) {
	t.Parallel()
	f := &faulty{refuse: 5}
	url, _ := f.start(t)
	r := load(t, "-a", "300", "-verbose", url)
	require.Positive(t, f.made.refused)
	require.Equal(t, report.Classes{"handshake.http_503": f.made.refused}, r.report.Failures)
	require.Equal(t, 300-f.made.refused, r.report.Connected)
	require.Len(t, r.report.Samples, report.SamplesPerClass)
	require.Equal(t, `HTTP/1.1 503 Service Unavailable: "full"`, r.report.Samples[0].Error)
	require.Contains(t, r.stdout.String(), `HTTP/1.1 503 Service Unavailable: "full"`)
	require.Equal(t, exitFailed, r.status)
}

func TestClosesWhileHeldAreNoticedAndCountedByCode(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, _ := f.start(t)
	r, wait := start(t.Context(), t, "-a", "60", "-w", "2", "-hold", "1s", "-expect", "closed_unexpected == 7", "-expect", "closed.code_1012 == 7", url)
	r.waitFor(t, "phase: hold connected=60")
	f.closeAll(7, websocket.CloseServiceRestart)
	r.waitFor(t, "phase: close connected=53")
	r = wait()
	require.Zero(t, r.status, r.output())
	require.Equal(t, report.Classes{"code_1012": 7}, r.report.Closed)
	require.EqualValues(t, 53, r.report.Held)
	require.Equal(t, "close frame 1012 restart", r.report.Samples[0].Error)
}

func TestHoldEndsWhenNothingIsLeftToHold(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, _ := f.start(t)
	r, wait := start(t.Context(), t, "-a", "10", "-k", url)
	r.waitFor(t, "phase: hold connected=10")
	f.closeAll(10, websocket.CloseGoingAway)
	r = wait()
	expected(t, r, "closed_unexpected == 0: 10")
}
