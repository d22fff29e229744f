//go:build linux

package engine

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// A server that sends again what a client missed while it was away loses nothing.
func TestRecoveryIsHeldAgainstWhatWasMissed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replay []uint32 // sent to every client that comes back
		want   report.BroadcastCounts
	}{
		"none":     {nil, report.BroadcastCounts{Expected: 50, Delivered: 20, Lost: 30, MissedAway: 30, Affected: 10}},
		"complete": {[]uint32{1, 2, 3}, report.BroadcastCounts{Expected: 50, Delivered: 50, Recovered: 30}},
		"partial":  {[]uint32{1, 3}, report.BroadcastCounts{Expected: 50, Delivered: 40, Recovered: 20, Lost: 10, MissedAway: 10, Affected: 10}},
		"too much": {[]uint32{0, 1, 2, 3}, report.BroadcastCounts{Expected: 50, Delivered: 50, Recovered: 30, Duplicated: 10, Affected: 10}},
		"swapped":  {[]uint32{2, 1, 3}, report.BroadcastCounts{Expected: 50, Delivered: 50, Recovered: 30, Reordered: 10, Affected: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &replayServer{gone: make(chan struct{}, 100), published: make(chan struct{}), replay: c.replay, clients: 10}
			e := engineFor(t, rawServer(t, s.serve), 10)
			e.Ramp(time.Now())
			through(t, e)
			e.Listen(time.Minute)
			through(t, e)
			sent := []int64{time.Now().UnixNano()}
			s.publish(0)
			delivered(t, e, 10)
			e.Begin(1, scenario.Phase{Storm: &scenario.Storm{Share: 1, Comeback: scenario.Comeback{Backoff: time.Millisecond, MaxBackoff: time.Millisecond, GiveUp: time.Minute}}}, time.Now())
			for range 10 {
				<-s.gone
			}
			for range 3 { // 1, 2 and 3, which reach nobody
				sent = append(sent, time.Now().UnixNano())
			}
			close(s.published)
			through(t, e)
			delivered(t, e, int64(10+10*min(3, len(c.replay))))
			s.publish(4)
			sent = append(sent, time.Now().UnixNano())
			delivered(t, e, int64(20+10*min(3, len(c.replay))))
			got := e.Finish(Published{Sent: sent}).Broadcast
			c.want.Listeners = 10
			require.Equal(t, c.want, got)
		})
	}
}

// replayServer publishes to its clients, and repeats to those that come back what
// replay says.
type replayServer struct {
	clients   int // that come before the storm
	replay    []uint32
	gone      chan struct{} // one for every connection that has ended
	published chan struct{} // closed when all is published that the clients miss

	mu    sync.Mutex // guards the following
	count int
	conns map[net.Conn]bool
}

func (s *replayServer) serve(conn net.Conn, r *bufio.Reader) {
	s.mu.Lock()
	s.count++
	back := s.count > s.clients
	s.mu.Unlock()
	if back {
		<-s.published
		for _, n := range s.replay {
			_, _ = conn.Write(broadcastFrame(n))
		}
	}
	s.mu.Lock()
	if s.conns == nil {
		s.conns = map[net.Conn]bool{}
	}
	s.conns[conn] = true
	s.mu.Unlock()
	_, _ = io.Copy(io.Discard, r)
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	s.gone <- struct{}{}
}

// publish sends to all, once they are there.
func (s *replayServer) publish(n uint32) {
	for there := 0; there < s.clients; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		there = len(s.conns)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_, _ = conn.Write(broadcastFrame(n))
	}
}

func broadcastFrame(n uint32) []byte {
	return serverFrame(true, frame.Text, message.Broadcast{Run: "0123456789abcdef", Channel: "c", Sequence: n, Sent: time.Now()}.Text(0))
}

func delivered(t *testing.T, e *Engine, n int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		p, _ := e.Snapshot(false)
		return p.Broadcast.Delivered == n
	}, 10*time.Second, time.Millisecond)
}
