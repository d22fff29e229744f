//go:build linux

package measure

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// connections are as many as a process of 20,000 open files can pass on, two files each.
func connections() int { return size(9000, 200) }

// edgeCost is what one process of a balancer takes, in KiB and us.
type edgeCost struct{ kib, connect, heartbeat, echo, delivery, series float64 }

func TestEdge(t *testing.T) {
	for _, b := range []struct {
		name  string
		start func(t *testing.T, layer int, node *nodetest.Node) (p *process, addr, metrics string)
	}{{"haproxy", haproxy}, {"nginx", nginx}} {
		for _, layer := range []int{7, 4} {
			t.Run(fmt.Sprintf("%s, layer %d", b.name, layer), func(t *testing.T) {
				var rounds []edgeCost
				for range size(3, 1) {
					node := nodetest.Start(t, "-heartbeat-interval", size(5*time.Second, time.Second).String())
					p, addr, metrics := b.start(t, layer, node)
					rounds = append(rounds, load(t, node, p, addr))
					if metrics != "" {
						rounds[len(rounds)-1].series = series(t, metrics)
					}
				}
				cost := median(rounds)
				t.Logf("%+v", cost)
				found.edge(b.name, layer, cost)
			})
		}
	}
}

// load puts connections, heartbeats, echoes and broadcasts through a balancer, one after the other.
func load(t *testing.T, node *nodetest.Node, p *process, addr string) edgeCost {
	n := float64(connections())
	hold, echoes, broadcasts := size(12*time.Second, 3*time.Second), size(12*time.Second, 2*time.Second), size(20, 5)
	empty := p.resident()
	l := nodetest.StartScenario(t, fmt.Sprintf(`
name: edge
targets: ["ws://%s"]
connections: %d
connect: {rate: 1000}
timeout: 60s
publish: {urls: [%q]}
phases:
  - hold: {for: %s}
  - echo: {for: %s, rate: 1000, size: 128}
  - hold: {for: 2s}
  - broadcast: {count: %d, rate: 1, size: 128}
close: {how: abort}
expect: ["generator.behind >= 0"]
`, addr, connections(), node.PublishURL("broadcast"), hold, echoes, broadcasts))
	type mark struct{ cpu, pings float64 }
	at := func(phase string) mark {
		l.Reach(phase)
		return mark{float64(p.cpu().Microseconds()), node.Metric("wsnode_pings_sent_total")}
	}
	ramp, held, echo := at("ramp"), at("hold"), at("echo")
	kib := (p.resident() - empty) / n / 1024
	after, broadcast, end := at("hold"), at("broadcast"), at("close")
	r := l.Wait()
	require.EqualValues(t, n, r.Connected)
	require.Zero(t, r.ClosedUnexpected)
	require.Equal(t, r.Broadcast.Expected, r.Broadcast.Delivered)
	require.Greater(t, echo.pings, held.pings)
	// Each phase took CPU of the balancer, or it was another process that was measured. What a heartbeat, an echo or a delivery
	// took of it is a difference, which a run as short as the tests' may well get wrong: it is recorded, not asserted.
	phases := []mark{ramp, held, echo, after, broadcast, end}
	for i := range phases[1:] {
		require.Greater(t, phases[i+1].cpu, phases[i].cpu, "phase %d", i)
	}
	require.Positive(t, kib)
	heartbeat := (echo.cpu - held.cpu) / (echo.pings - held.pings)
	// What is left of a phase without its heartbeats.
	each := func(from, to mark, count float64) float64 {
		return (to.cpu - from.cpu - heartbeat*(to.pings-from.pings)) / count
	}
	return edgeCost{
		kib: kib, heartbeat: heartbeat, connect: each(ramp, held, n),
		echo: each(echo, after, float64(r.Echo.OK)), delivery: each(broadcast, end, float64(r.Broadcast.Delivered)),
	}
}
