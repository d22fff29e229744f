package presence_test

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/presence"
	"github.com/wsfleet/wsfleet/test/redistest"
)

const (
	interval = 100 * time.Millisecond
	// soon is generous: it covers failovers on a busy machine.
	soon = 30 * time.Second
)

// node is one with connections that a test sets.
type node struct {
	*presence.Presence
	client redis.UniversalClient
	end    func() // as a node that is shut down

	mu       sync.Mutex
	channels map[string]int64
}

func (n *node) set(channel string, connections int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.channels[channel] = connections; connections == 0 {
		delete(n.channels, channel)
	}
}

func (n *node) snapshot() (total int64, channels map[string]int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.channels {
		total += c
	}
	return total, maps.Clone(n.channels)
}

// start runs a node of the fleet that the Redis of cfg joins; none if its URL is "".
func start(t *testing.T, cfg broker.Config, channels map[string]int64) *node {
	t.Helper()
	n := &node{channels: channels}
	if cfg.URL != "" {
		var err error
		n.client, err = broker.NewClient(cfg)
		require.NoError(t, err)
		t.Cleanup(func() { n.client.Close() })
	}
	n.Presence = presence.New(presence.Config{Node: "node", Client: n.client, Interval: interval}, n.snapshot)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx) }()
	n.end = func() { cancel(); <-ended }
	t.Cleanup(n.end)
	return n
}

func (n *node) expectFleet(t *testing.T, want presence.Fleet) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, err := n.Fleet()
		return err == nil && got == want
	}, soon, 10*time.Millisecond, "%+v", want)
}

func (n *node) expectChannels(t *testing.T, want ...presence.Count) {
	t.Helper()
	names := make([]string, len(want))
	for i, c := range want {
		names[i] = c.Channel
	}
	var got []presence.Count
	require.Eventually(t, func() bool {
		var err error
		got, err = n.Channels(t.Context(), names)
		return err == nil && fmt.Sprint(got) == fmt.Sprint(want)
	}, soon, 10*time.Millisecond, "want %v", want)
}

// TestFleet is what presence must do on every kind of Redis.
func TestFleet(t *testing.T) {
	for name, fresh := range map[string]func() broker.Config{
		"single": func() broker.Config { return broker.Config{URL: redistest.Start(t).URL} },
		"sentinel": func() broker.Config {
			return broker.Config{URL: redistest.Setup{}.StartSentinel(t).URL}
		},
		"cluster": func() broker.Config { return broker.Config{URL: redistest.Setup{}.StartCluster(t).URL} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fresh()
			a := start(t, cfg, map[string]int64{"broadcast": 10, "room-1": 1, "room-2": 2, "with {braces} and\x00\xff": 3})
			b := start(t, cfg, map[string]int64{"broadcast": 20, "room-2": 20, "room-3": 30})
			start(t, cfg, nil)
			for _, n := range []*node{a, b} {
				n.expectFleet(t, presence.Fleet{Nodes: 3, Connections: 86})
				n.expectChannels(t, presence.Count{"broadcast", 30}, presence.Count{"nobody", 0}, presence.Count{"room-2", 22},
					presence.Count{"with {braces} and\x00\xff", 3})
			}

			page, more, err := a.List(t.Context(), "room-", 2)
			require.NoError(t, err)
			require.True(t, more)
			require.Equal(t, []presence.Count{{"room-1", 1}, {"room-2", 22}}, page)
			page, more, err = a.List(t.Context(), "room-", 3)
			require.NoError(t, err)
			require.False(t, more)
			require.Equal(t, []presence.Count{{"room-1", 1}, {"room-2", 22}, {"room-3", 30}}, page)
			page, more, err = a.List(t.Context(), "", 100)
			require.NoError(t, err)
			require.False(t, more)
			require.Len(t, page, 5)
			page, _, err = a.List(t.Context(), "with {braces} and\x00\xff", 100)
			require.NoError(t, err)
			require.Len(t, page, 1)
			page, _, err = a.List(t.Context(), "room-9", 100)
			require.NoError(t, err)
			require.Empty(t, page)

			a.set("room-1", 0)
			a.set("room-2", 5)
			a.set("room-4", 4)
			b.expectChannels(t, presence.Count{"room-1", 0}, presence.Count{"room-2", 25}, presence.Count{"room-4", 4})
			page, _, err = b.List(t.Context(), "room-", 100)
			require.NoError(t, err)
			require.Equal(t, []presence.Count{{"room-2", 25}, {"room-3", 30}, {"room-4", 4}}, page)

			a.end()
			b.expectFleet(t, presence.Fleet{Nodes: 2, Connections: 70})
			b.expectChannels(t, presence.Count{"broadcast", 20}, presence.Count{"room-4", 0})
		})
	}
}

// A node that dies can't say so: what it told expires, and nothing of it stays in Redis.
func TestDeadNode(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, broker.Config{URL: server.URL}, map[string]int64{"x": 1})
	b := start(t, broker.Config{URL: server.URL}, map[string]int64{"x": 2})
	a.expectFleet(t, presence.Fleet{Nodes: 2, Connections: 3})
	b.client.Close()
	a.expectFleet(t, presence.Fleet{Nodes: 1, Connections: 1})
	a.expectChannels(t, presence.Count{"x", 1})
	require.Eventually(t, func() bool { return server.CLI(t, "DBSIZE") == "4" }, soon, interval, "registry, state, counts and names of a")
	require.Equal(t, "1", server.CLI(t, "SCARD", "wsfleet:presence"))
	a.end()
	require.Equal(t, "0", server.CLI(t, "DBSIZE"), "a said goodbye")
}

// Redis dies without memory of anything: meanwhile it is said, nobody waits, and on its
// return everything is there again.
func TestRedisAway(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, broker.Config{URL: server.URL}, map[string]int64{"x": 1})
	want := presence.Fleet{Nodes: 1, Connections: 1}
	a.expectFleet(t, want)
	server.Kill()
	require.Eventually(t, func() bool { _, err := a.Fleet(); return err != nil }, soon, 10*time.Millisecond)
	last, err := a.Fleet()
	require.ErrorContains(t, err, server.Addr)
	require.Equal(t, want, last, "what was known before")
	_, err = a.Channels(t.Context(), []string{"x"})
	require.ErrorContains(t, err, server.Addr)
	_, _, err = a.List(t.Context(), "", 1)
	require.ErrorContains(t, err, server.Addr)
	server.Restart(t)
	a.expectFleet(t, want)
	a.expectChannels(t, presence.Count{"x", 1})
}

// A Redis that doesn't answer keeps neither metrics nor those who ask with a deadline.
func TestRedisHangs(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, broker.Config{URL: server.URL}, map[string]int64{"x": 1})
	a.expectFleet(t, presence.Fleet{Nodes: 1, Connections: 1})
	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := a.Channels(ctx, []string{"x"})
	require.ErrorContains(t, err, "timeout")
	require.Eventually(t, func() bool { _, err := a.Fleet(); return err != nil }, soon, 10*time.Millisecond)
	server.Thaw()
	a.expectFleet(t, presence.Fleet{Nodes: 1, Connections: 1})
}

// The replica that takes over holds what it has heard of; the rest is told again.
func TestClusterFailover(t *testing.T) {
	c := redistest.Setup{}.StartCluster(t)
	nodes := make([]*node, 6) // enough that each primary has some
	for i := range nodes {
		nodes[i] = start(t, broker.Config{URL: c.URL}, map[string]int64{"x": 1})
	}
	want := presence.Fleet{Nodes: len(nodes), Connections: int64(len(nodes))}
	nodes[0].expectFleet(t, want)
	c.Failover(t, "wsfleet:presence")
	for _, n := range nodes {
		n.expectFleet(t, want)
		n.expectChannels(t, presence.Count{"x", int64(len(nodes))})
	}
}

// What Redis has lost without dying is noticed with the next report.
func TestRedisForgets(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, broker.Config{URL: server.URL}, map[string]int64{"x": 1, "y": 2})
	a.expectChannels(t, presence.Count{"x", 1})
	for _, part := range []string{"*:counts", "*:names", "*}", "*"} {
		for key := range strings.Lines(server.CLI(t, "KEYS", part)) {
			server.CLI(t, "DEL", strings.TrimSpace(key))
		}
		a.expectChannels(t, presence.Count{"x", 1}, presence.Count{"y", 2})
		require.Eventually(t, func() bool {
			page, _, err := a.List(t.Context(), "", 10)
			return err == nil && len(page) == 2
		}, soon, 10*time.Millisecond, part)
	}
}

// Ten thousand channels of which few change cost Redis little to be kept.
func TestOnlyChangesAreWritten(t *testing.T) {
	server := redistest.Start(t)
	channels := make(map[string]int64)
	for i := range 10_000 {
		channels[fmt.Sprintf("channel-%d", i)] = 1
	}
	a := start(t, broker.Config{URL: server.URL}, channels)
	a.expectFleet(t, presence.Fleet{Nodes: 1, Connections: 10_000})
	// A report that a busy machine interrupts makes the next one whole, so a few tries are allowed.
	for try := int64(1); ; try++ {
		server.CLI(t, "CONFIG", "RESETSTAT")
		a.set("channel-7", 1+try)
		a.expectChannels(t, presence.Count{"channel-7", 1 + try})
		require.Eventually(t, func() bool { return stat(t, server, "cmdstat_sadd:calls=") >= 5 }, soon, interval, "five reports")
		written := stat(t, server, "total_net_input_bytes:")
		if written < 50_000 && stat(t, server, "cmdstat_zadd:calls=") == 0 { // 10,000 names have more, and none is new
			return
		}
		require.Less(t, try, int64(5), "%d bytes in five reports", written)
	}
}

// stat is a number of INFO, 0 if it isn't there.
func stat(t *testing.T, server *redistest.Server, name string) int {
	t.Helper()
	_, rest, _ := strings.Cut(server.CLI(t, "INFO", "everything"), "\n"+name)
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	n, _ := strconv.Atoi(rest[:max(end, 0)])
	return n
}

// A node without Redis is its own fleet, at any moment.
func TestAlone(t *testing.T) {
	a := start(t, broker.Config{}, map[string]int64{"x": 1, "room-2": 2, "room-1": 1})
	fleet, err := a.Fleet()
	require.NoError(t, err)
	require.Equal(t, presence.Fleet{Nodes: 1, Connections: 4}, fleet)
	a.expectChannels(t, presence.Count{"x", 1}, presence.Count{"y", 0})
	page, more, err := a.List(t.Context(), "room-", 1)
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, []presence.Count{{"room-1", 1}}, page)
}

// BenchmarkReport is what one report of a node costs it; see -benchtime=10x.
func BenchmarkReport(b *testing.B) {
	for _, channels := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(channels), func(b *testing.B) {
			client, err := broker.NewClient(broker.Config{URL: redistest.Start(b).URL})
			require.NoError(b, err)
			defer client.Close()
			all := make(map[string]int64)
			for i := range channels {
				all[fmt.Sprintf("channel-%d", i)] = 1
			}
			p := presence.New(presence.Config{Client: client}, func() (int64, map[string]int64) { return int64(channels), maps.Clone(all) })
			begin := time.Now()
			require.NoError(b, presence.Report(p, b.Context()))
			whole := time.Since(begin)
			for b.Loop() {
				for i := range channels / 100 {
					all[fmt.Sprintf("channel-%d", i)]++
				}
				require.NoError(b, presence.Report(p, b.Context()))
			}
			b.ReportMetric(whole.Seconds(), "s/whole")
		})
	}
}
