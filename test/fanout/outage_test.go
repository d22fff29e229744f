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

// broken is a Redis and how it fails.
type broken struct {
	url    string
	within time.Duration // that the fault may take
	fail   func()
}

// outages are those in which Redis is away for a while, and keeps what it has.
var outages = []struct {
	name  string
	start func(t *testing.T) broken
}{
	{"Redis killed and started again", func(t *testing.T) broken {
		redis := durable.Start(t)
		return broken{redis.URL, away() + time.Second, func() {
			redis.Kill()
			time.Sleep(away())
			redis.Restart(t)
		}}
	}},
	{"failover by Sentinel", func(t *testing.T) broken {
		redis := redistest.Setup{}.StartSentinel(t)
		return broken{redis.URL, failoverTime(), func() { redis.Failover(t) }}
	}},
	{"failover of a cluster's primary", func(t *testing.T) broken {
		redis := redistest.Setup{}.StartCluster(t)
		return broken{redis.URL, failoverTime(), func() { redis.Failover(t, "broadcast") }}
	}},
}

// failoverTime is what one takes at the most.
func failoverTime() time.Duration { return size(10*time.Second, 5*time.Second) }

func TestOutages(t *testing.T) {
	t.Parallel()
	for i, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			redis := o.start(t)
			s := stream{order: 10 + i, name: o.name, nodes: startNodes(t, redis.url, history...), settle: settle()}
			o := s.run(t, redis.within, redis.fail)
			o.requireEverything(t)
			o.requireSaid(t, "redis 127.0.0.1:", "connection refused")
		})
	}
}

// Messages that may wait for Redis are all taken, and none is published twice although it
// is not known of some whether Redis had them already.
func TestOutagesWithABuffer(t *testing.T) {
	t.Parallel()
	for i, o := range outages[:size(len(outages), 1)] {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			redis := o.start(t)
			args := append([]string{"-publish-buffer", "1m"}, history...)
			s := stream{order: 20 + i, name: o.name + ", publishers wait", nodes: startNodes(t, redis.url, args...), settle: settle(), silence: redis.within}
			o := s.run(t, redis.within, redis.fail)
			o.requireEverything(t)
			require.Zero(t, o.Broadcast.PublishFailed, "%+v", o.Samples)
		})
	}
}

// Nothing is kept, so messages are lost. How many, each client is told, and each node
// says so of itself.
func TestOutagesWithoutHistory(t *testing.T) {
	t.Parallel()
	for i, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			redis := o.start(t)
			s := stream{order: 30 + i, name: o.name + ", history off", nodes: startNodes(t, redis.url), settle: settle()}
			s.run(t, redis.within, redis.fail).requireAccount(t, s.nodes)
		})
	}
}

// away is how long a Redis is.
func away() time.Duration { return size(10*time.Second, time.Second) }

// settle is how long the stream goes on after a fault.
func settle() time.Duration { return size(10*time.Second, 4*time.Second) }

// The server's side of the subscriptions ends, while publishing goes on.
func TestSubscriptionsAreKilled(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 15, name: "subscriptions killed, history on", nodes: startNodes(t, redis.URL, history...), settle: 2 * time.Second}
	o := s.run(t, time.Second, func() { killSubscriptions(t, redis) })
	o.requireEverything(t)
	require.Zero(t, o.Broadcast.PublishFailed)
	require.Positive(t, sum(s.nodes, "wsnode_broker_recovered_total"), "nothing came from history: the test shows nothing")
}

func TestSubscriptionsAreKilledWithoutHistory(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 35, name: "subscriptions killed, history off", nodes: startNodes(t, redis.URL), settle: 2 * time.Second}
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

// A Redis that kept nothing begins anew. Nobody can tell what is missing, and every client
// is told just that, as often as its node has counted it.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := stream{order: 19, name: "Redis killed and started again without AOF", nodes: startNodes(t, redis.URL, history...), settle: settle()}
	o := s.run(t, away()+time.Second, func() {
		redis.Kill()
		time.Sleep(away())
		redis.Restart(t)
	})
	b, r := o.Broadcast, o.Resume
	require.Zero(t, b.Duplicated+b.Reordered+b.BroadcastCounts.Corrupted+b.Misrouted, "%v", o.Samples)
	require.Zero(t, r.Skipped+r.Repeated+r.Inconsistent, "%+v %v", r, o.Samples)
	require.GreaterOrEqual(t, r.GapsUnknown, b.Listeners)
	unknown := 0.0
	for _, n := range s.nodes {
		unknown += n.Metric(`wsnode_broker_gaps_total{outcome="unknown"}`)
	}
	require.EqualValues(t, unknown*float64(o.clients), r.GapsUnknown)
	require.EqualValues(t, b.Listeners, r.Epochs, "the new server's")
	o.requireEchoes(t)
}
