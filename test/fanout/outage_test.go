//go:build linux

package fanout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// What Redis keeps in its file is written before it answers: a process that is killed
// loses nothing that it has acknowledged.
var durable = redistest.Setup{Args: []string{"--appendonly", "yes"}}

func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	redis := durable.Start(t)
	s := stream{order: 1, name: "Redis killed, back after 10 s, history on", nodes: startNodes(t, redis.URL, history...), settle: size(10*time.Second, 4*time.Second)}
	away := size(10*time.Second, time.Second)
	o := s.run(t, away+time.Second, func() {
		redis.Kill()
		time.Sleep(away)
		redis.Restart(t)
	})
	o.requireEverything(t)
	require.Positive(t, o.Broadcast.PublishFailed, "it was away")
}

// Nothing is kept, so messages are lost. How many, each client is told, and each node
// says so of itself.
func TestRedisIsKilledWithoutHistory(t *testing.T) {
	t.Parallel()
	redis := durable.Start(t)
	s := stream{order: 2, name: "Redis killed, back after 10 s, history off", nodes: startNodes(t, redis.URL), settle: size(10*time.Second, 4*time.Second)}
	away := size(10*time.Second, time.Second)
	o := s.run(t, away+time.Second, func() {
		redis.Kill()
		time.Sleep(away)
		redis.Restart(t)
	})
	o.requireAccount(t, s.nodes)
}

func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	redis := redistest.Setup{}.StartSentinel(t)
	s := stream{order: 3, name: "failover by Sentinel", nodes: startNodes(t, redis.URL, history...), settle: size(10*time.Second, 4*time.Second)}
	o := s.run(t, failoverTime, func() { redis.Failover(t) })
	o.requireEverything(t)
}

func TestPrimaryOfAClusterFailsOver(t *testing.T) {
	t.Parallel()
	redis := redistest.Setup{}.StartCluster(t)
	s := stream{order: 4, name: "failover of a cluster's primary", nodes: startNodes(t, redis.URL, history...), settle: size(10*time.Second, 4*time.Second)}
	o := s.run(t, failoverTime, func() { redis.Failover(t, "broadcast") })
	o.requireEverything(t)
}

// failoverTime is what one takes at the most.
const failoverTime = 10 * time.Second

// The server's side of the subscriptions ends, while publishing goes on.
func TestSubscriptionsAreKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 5, name: "subscriptions killed, history on", nodes: startNodes(t, redis.URL, history...), settle: 2 * time.Second}
	o := s.run(t, time.Second, func() { killSubscriptions(t, redis) })
	o.requireEverything(t)
	require.Zero(t, o.Broadcast.PublishFailed)
	require.Positive(t, sum(s.nodes, "wsnode_broker_recovered_total"), "nothing came from history: the test shows nothing")
}

func TestSubscriptionsAreKilledWithoutHistory(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 6, name: "subscriptions killed, history off", nodes: startNodes(t, redis.URL), settle: 2 * time.Second}
	o := s.run(t, time.Second, func() { killSubscriptions(t, redis) })
	o.requireAccount(t, s.nodes)
	require.Zero(t, o.Broadcast.PublishFailed)
	require.Equal(t, o.Resume.LostTold, o.Broadcast.Lost, "every message was acknowledged: what is told is what is lost")
	require.Positive(t, o.Broadcast.Lost, "nothing was lost: the test shows nothing")
}

// killSubscriptions does it again and again, so that some messages fall into it.
func killSubscriptions(t *testing.T, redis *redistest.Server) {
	t.Helper()
	for range 5 {
		require.NotEqual(t, "0", redis.CLI(t, "CLIENT", "KILL", "TYPE", "pubsub"))
		time.Sleep(100 * time.Millisecond)
	}
}

// requireAccount requires that losses are counted exactly: what clients were told of is
// what the nodes have counted, and all that they lack is among it.
func (o outcome) requireAccount(t *testing.T, nodes []*nodetest.Node) {
	t.Helper()
	b, s := o.Broadcast, o.Resume
	require.Zero(t, b.Duplicated+b.Reordered+b.BroadcastCounts.Corrupted+b.Misrouted, "%v", o.Samples)
	require.Zero(t, s.GapsUnknown+s.Skipped+s.Repeated+s.Inconsistent, "%+v %v", s, o.Samples)
	require.EqualValues(t, sum(nodes, "wsnode_broker_lost_total")*float64(o.clients), s.LostTold)
	require.LessOrEqual(t, b.Lost, s.LostTold)
	require.LessOrEqual(t, s.LostTold-b.Lost, b.PublishFailed*b.Listeners, "told of more than was published")
	o.requireEchoes(t)
}

// sum adds up a counter of all nodes.
func sum(nodes []*nodetest.Node, name string) (total float64) {
	for _, n := range nodes {
		for _, v := range n.Family(name) {
			total += v
		}
	}
	return total
}
