//go:build linux

package fanout

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
)

// A node dies; its clients come back to the other one at random times and go on there:
// positions mean the same on every node.
func TestNodeIsKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{
		order: 7, name: "node killed, its clients go on at the other", nodes: startNodes(t, redis.URL, history...), settle: 3 * time.Second,
		reconnect: "reconnect: {within: 2s, backoff: 100ms, elsewhere: true}",
	}
	o := s.run(t, 2*time.Second, func() {
		require.NoError(t, s.nodes[0].Cmd.Process.Kill())
		<-s.nodes[0].Exited
	})
	o.requireEverything(t)
	require.EqualValues(t, o.clients, o.Reconnect.Cut)
	require.EqualValues(t, o.clients, o.Resume.Recovered)
	require.Positive(t, o.Broadcast.BroadcastCounts.Recovered)
}

// A node is restarted as in a deployment, and its clients come back to it.
func TestNodeIsRestarted(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	args := append([]string{"-drain-time", "1s"}, history...)
	s := stream{
		order: 8, name: "node drained and restarted, its clients come back", nodes: startNodes(t, redis.URL, args...), settle: 4 * time.Second,
		reconnect: "reconnect: {within: 1s, backoff: 200ms, max_backoff: 1s}",
	}
	o := s.run(t, 5*time.Second, func() {
		require.NoError(t, s.nodes[0].Cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, <-s.nodes[0].Exited)
		s.nodes[0].Restart()
	})
	o.requireEverything(t)
	require.EqualValues(t, map[string]int64{"code_1012": int64(o.clients)}, o.Closed)
	require.EqualValues(t, o.clients, o.Resume.Recovered)
	require.Positive(t, o.Broadcast.BroadcastCounts.Recovered)
}

// A node that stood still reads what has come meanwhile, or fetches it.
func TestNodeStandsStill(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 9, name: "node stopped for 3 s (SIGSTOP)", nodes: startNodes(t, redis.URL, history...), settle: 2 * time.Second}
	stop := 3 * time.Second
	o := s.run(t, stop, func() {
		require.NoError(t, s.nodes[0].Cmd.Process.Signal(syscall.SIGSTOP))
		time.Sleep(stop)
		require.NoError(t, s.nodes[0].Cmd.Process.Signal(syscall.SIGCONT))
	})
	o.requireEverything(t)
	require.Zero(t, o.Reconnect.Cut)
}
