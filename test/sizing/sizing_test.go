package sizing

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sized(t *testing.T, change func(*Input)) *Fleet {
	t.Helper()
	in := Default()
	if change != nil {
		change(&in)
	}
	f, err := Size(in, DefaultPrices())
	require.NoError(t, err)
	return f
}

// every combination of balancer and layer.
func everyBalancer(t *testing.T, test func(t *testing.T, balancer string, layer int)) {
	for _, b := range balancers {
		t.Run(fmt.Sprintf("%s %d", b.name, b.layer), func(t *testing.T) { test(t, b.name, b.layer) })
	}
}

func TestMillion(t *testing.T) {
	f := sized(t, nil)
	assert.Equal(t, 11.0, f.Value("nodes"))
	assert.Equal(t, 4.0, f.Value("node_processes"))
	assert.Equal(t, 3.0, f.Value("edges"))
	assert.Equal(t, 1.0, f.Value("redis_hosts"))
	assert.Equal(t, 1.0, f.Value("prometheus_hosts"))
	assert.Equal(t, "nodes = ceil(1,000,000 / 100,000) + 1 = 11 hosts", f.sheet.why("nodes"))
}

// One host less than there are still holds everybody, and none holds more than it can.
func TestTheFleetHoldsWhatItIsFor(t *testing.T) {
	everyBalancer(t, func(t *testing.T, balancer string, layer int) {
		for _, n := range []float64{1, 99_999, 100_000, 100_001, 1e6, 3_333_333, 1e7, 1e8} {
			f := sized(t, func(in *Input) { in.Connections, in.Balancer, in.Layer = n, balancer, layer })
			for _, role := range []string{"node", "edge"} {
				each := n / (f.Value(role+"s") - 1)
				assert.LessOrEqual(t, each, f.Value(role+"_takes"), "%s of %v", role, n)
				assert.LessOrEqual(t, f.Value(role+"_cores_used"), f.Value(role+"_cores")*f.Input.CPUUse, "%s of %v", role, n)
				assert.LessOrEqual(t, f.Value(role+"_gib_used"), f.Value(role+"_gib")*f.Input.MemoryUse, "%s of %v", role, n)
				assert.GreaterOrEqual(t, f.Value(role+"s"), 2.0)
			}
			assert.GreaterOrEqual(t, f.Value("generators")*f.Value("addresses")*f.Value("edges")*f.Value("pair_connections"), n)
		}
	})
}

// More of anything never takes less.
func TestMoreNeverTakesLess(t *testing.T) {
	for name, change := range map[string]func(*Input){
		"connections": func(in *Input) { in.Connections *= 2 },
		"messages":    func(in *Input) { in.Messages = 1 },
		"broadcasts":  func(in *Input) { in.Broadcasts = 3 },
		"bytes":       func(in *Input) { in.Bytes = 4096 },
		"heartbeat":   func(in *Input) { in.Heartbeat = time.Second },
		"return":      func(in *Input) { in.Return = 10 * time.Second },
		"history":     func(in *Input) { in.History, in.HistoryAge = 1e6, 1000*time.Hour },
		"churn":       func(in *Input) { in.Churn = 20 },
	} {
		t.Run(name, func(t *testing.T) {
			base, more := sized(t, nil), sized(t, change)
			dearer := false
			for _, line := range []string{"nodes", "edges", "redis_hosts", "history_gib", "generators", "prometheus_gib", "usd_all"} {
				assert.GreaterOrEqual(t, more.Value(line), base.Value(line), line)
				dearer = dearer || more.Value(line) > base.Value(line)
			}
			assert.True(t, dearer, "it changes nothing")
		})
	}
}

// Each bound of a host can be the one that decides.
func TestEveryBoundCanDecide(t *testing.T) {
	for bound, change := range map[string]func(*Input){
		"node_connections": nil,
		"node_by_memory": func(in *Input) {
			in.NodeConnections = 1e6
			in.OpenFiles = 1 << 21
			in.NodeType = "c7g.2xlarge"
			in.Heartbeat = time.Hour
			in.MemoryUse = 0.6
		},
		"node_by_cpu":      func(in *Input) { in.Messages = 2 },
		"node_by_network":  func(in *Input) { in.Broadcasts, in.Bytes, in.NetworkUse = 1, 4096, 0.1 },
		"edge_connections": nil,
		"edge_by_memory":   func(in *Input) { in.EdgeType, in.Heartbeat, in.Messages, in.Broadcasts = "c7g.large", time.Hour, 0, 0 },
		"edge_by_cpu":      func(in *Input) { in.Messages = 1 },
		"edge_by_network":  func(in *Input) { in.Broadcasts, in.Bytes, in.NetworkUse = 0.1, 4096, 0.05 },
	} {
		t.Run(bound, func(t *testing.T) {
			f := sized(t, change)
			role, _, _ := strings.Cut(bound, "_")
			assert.Equal(t, f.Value(bound), f.Value(role+"_takes"), "%s", f.sheet.why(role+"_takes"))
		})
	}
	t.Run("packets", func(t *testing.T) {
		p := DefaultPrices()
		small := p.Types["c7g.large"]
		small.Packets = 20_000
		p.Types["c7g.large"] = small
		f, err := Size(Default(), p)
		require.NoError(t, err)
		assert.Equal(t, f.Value("node_by_packets"), f.Value("node_takes"))
		assert.Less(t, f.Value("node_takes"), 100_000.0)
	})
}

func TestRedisIsSharded(t *testing.T) {
	busy := sized(t, func(in *Input) { in.Broadcasts, in.Audience, in.Channels = 200_000, 10, 20_000 })
	assert.Greater(t, busy.Value("shards"), 3.0)
	assert.Equal(t, busy.Value("shards"), busy.Value("redis_hosts"))
	assert.True(t, limitOf(t, busy, "cores that one channel takes of its Redis").OK)

	one := sized(t, func(in *Input) { in.Broadcasts, in.Audience = 50_000, 10 })
	assert.False(t, limitOf(t, one, "cores that one channel takes of its Redis").OK, "shards do not help one channel")
}

func TestLimitsAreNoticed(t *testing.T) {
	for what, change := range map[string]func(*Input){
		"node hosts":                func(in *Input) { in.Connections = 1e8 },
		"edge hosts":                func(in *Input) { in.Connections = 1e8 },
		"Redis hosts":               func(in *Input) { in.Broadcasts, in.Audience, in.Channels = 200_000, 10, 20_000 },
		"connections of one Redis":  func(in *Input) { in.Connections, in.OpenFiles = 1e8, 20_000 },
		"Prometheus hosts":          func(in *Input) { in.Connections = 1e8 },
		"load generators":           func(in *Input) { in.Connections, in.GeneratorConnections = 1e8, 100_000 },
		"GB of Prometheus' samples": func(in *Input) { in.Connections = 1e8 },
		"seconds until a silent node is noticed by an edge": func(in *Input) { in.Connections, in.OpenFiles = 1e7, 20_000 },
	} {
		t.Run(what, func(t *testing.T) { assert.False(t, limitOf(t, sized(t, change), what).OK) })
	}
	for _, l := range sized(t, nil).Limits {
		assert.True(t, l.OK, "a million comes up against: %+v", l)
	}
}

func limitOf(t *testing.T, f *Fleet, what string) Limit {
	t.Helper()
	for _, l := range f.Limits {
		if l.What == what {
			return l
		}
	}
	t.Fatalf("no limit %q", what)
	return Limit{}
}

func TestJSONHasEveryLine(t *testing.T) {
	var out strings.Builder
	require.NoError(t, Command([]string{"-connections", "10000000", "-json"}, &out))
	var f Fleet
	require.NoError(t, json.Unmarshal([]byte(out.String()), &f))
	assert.Equal(t, 1e7, f.Input.Connections)
	count := 0
	for _, s := range sections {
		count += len(s.rules)
	}
	assert.Len(t, f.Lines, count)
	assert.NotEmpty(t, f.Limits)
}
