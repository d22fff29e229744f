//go:build linux

package fanout

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// A node dies; its clients come back to the other one at random times and go on there:
// positions mean the same on every node.
func TestNodeIsKilled(t *testing.T) {
	t.Parallel()
	s, o := killNode(t, 16, "node killed, its clients go on at the other", history...)
	o.requireEverything(t)
	require.EqualValues(t, o.clients, o.Resume.Recovered)
	require.Positive(t, o.Broadcast.BroadcastCounts.Recovered)
	require.EqualValues(t, o.clients, resumes(s.nodes[1], "tail")+resumes(s.nodes[1], "history"))
}

// Without a history the clients lack what was published while they were away, and are
// told how much that is.
func TestNodeIsKilledWithoutHistory(t *testing.T) {
	t.Parallel()
	s, o := killNode(t, 36, "node killed, its clients go on at the other, history off")
	require.EqualValues(t, o.clients, o.Resume.Asked)
	require.Equal(t, o.Resume.Asked, o.Resume.Recovered+o.Resume.TooOld)
	require.EqualValues(t, o.Resume.TooOld, resumes(s.nodes[1], "too_old"))
	require.Positive(t, o.Broadcast.Lost, "nothing was lost: the test shows nothing")
	require.Equal(t, o.Broadcast.Lost, o.Resume.LostTold)
	require.Zero(t, sum(s.nodes[1:], "wsnode_broker_lost_total"), "the node itself lacks nothing")
	require.Zero(t, o.Broadcast.Duplicated+o.Broadcast.Reordered+o.Resume.GapsUnknown+o.Resume.Skipped+o.Resume.Repeated+o.Resume.Inconsistent, "%+v", o.Samples)
	o.requireEchoes(t)
}

// killNode kills the first node. The second one is published at.
func killNode(t *testing.T, order int, name string, args ...string) (stream, outcome) {
	t.Helper()
	redis := redistest.Start(t)
	s := stream{
		order: order, name: name, nodes: startNodes(t, redis.URL, args...), settle: 3 * time.Second,
		reconnect: "reconnect: {within: 2s, backoff: 100ms, elsewhere: true}",
	}
	o := s.run(t, 2*time.Second, func() {
		require.NoError(t, s.nodes[0].Cmd.Process.Kill())
		<-s.nodes[0].Exited
	})
	require.EqualValues(t, o.clients, o.Reconnect.Cut)
	return s, o
}

// resumes is how many subscriptions a node has given what they missed, from where.
func resumes(n *nodetest.Node, from string) float64 {
	return n.Metric(`wsnode_resumes_total{from="` + from + `"}`)
}

// A node is restarted as in a deployment, and its clients come back to it.
func TestNodeIsRestarted(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	args := append([]string{"-drain-time", "1s"}, history...)
	s := stream{
		order: 17, name: "node drained and restarted, its clients come back", nodes: startNodes(t, redis.URL, args...), settle: 4 * time.Second,
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
	stop := 3 * time.Second
	s := stream{order: 18, name: "node stopped for 3 s (SIGSTOP)", nodes: startNodes(t, redis.URL, history...), settle: 2 * time.Second, silence: stop}
	o := s.run(t, stop, func() {
		require.NoError(t, s.nodes[0].Cmd.Process.Signal(syscall.SIGSTOP))
		time.Sleep(stop)
		require.NoError(t, s.nodes[0].Cmd.Process.Signal(syscall.SIGCONT))
	})
	o.requireEverything(t)
	require.Zero(t, o.Reconnect.Cut)
}
