package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// Million says how the run of very many connections goes.
type Million struct {
	Connections int
	Rate        float64       // of the ramp, connections a second
	Hold        time.Duration // with nothing but heartbeats
	Broadcasts  int           // to all, in a phase of their own
	Files       string        // the folder of the report
}

// The phases of the load, in their order.
const (
	phaseRamp = iota
	phaseEcho
	phaseHold
	phaseBroadcast
	phaseFaults // the first of them
)

const (
	// broadcastGap is the time between two broadcasts: a million deliveries through a balancer keep two cores busy
	// for some twenty seconds.
	broadcastGap = 40 * time.Second
	// faultTime is what each fault gets to be over, and one broadcast to reach everybody after it.
	faultTime = 60 * time.Second
	// returnWithin is the jitter of clients that come back.
	returnWithin = 10 * time.Second
)

// scenario of the load: it connects, echoes once on each connection, holds, publishes, and holds again for each fault,
// with a broadcast that must reach everybody.
func (m Million) scenario(publish string, faults int) scenario.Scenario {
	s := scenario.Default()
	s.Name, s.Connections = "million", m.Connections
	s.Connect.Rate = m.Rate
	s.Timeout = time.Minute
	s.Close = scenario.Close{How: scenario.Abort, Rate: 20_000}
	s.Resume = true
	s.Reconnect = &scenario.Reconnect{Comeback: scenario.Comeback{
		Within: returnWithin, Backoff: time.Second, MaxBackoff: 15 * time.Second, GiveUp: 2 * time.Minute,
	}}
	s.Publish.URLs = []string{publish}
	echo, broadcast := &scenario.Echo{}, &scenario.Broadcast{}
	echo.SetDefaults()
	broadcast.SetDefaults()
	broadcast.Count, broadcast.Rate = m.Broadcasts, 1/broadcastGap.Seconds()
	s.Phases = []scenario.Phase{
		{Echo: echo},
		{Hold: &scenario.Hold{For: m.Hold}},
		{Broadcast: broadcast},
	}
	for range faults {
		during := *broadcast
		during.Count, during.Rate = 2, 1/(faultTime/2).Seconds()
		s.Phases = append(s.Phases, scenario.Phase{Hold: &scenario.Hold{For: faultTime}, Broadcast: &during})
	}
	s.Complete()
	return s
}

// faults of the run, each under full load.
func (f *Fleet) faults(ctx context.Context) ([]Fault, error) {
	nodes, edges, redis := f.role("node"), f.role("edge"), f.role("redis")
	on := func(h Host, args ...string) func(context.Context) error {
		return func(ctx context.Context) error { return f.sudo(ctx, h, args...) }
	}
	killed, err := f.anyProcess(ctx, "wsnode", nodes[0])
	if err != nil {
		return nil, err
	}
	drained, err := f.anyProcess(ctx, "wsnode", nodes[1])
	if err != nil {
		return nil, err
	}
	edge, err := f.anyProcess(ctx, "haproxy", edges[1])
	if err != nil {
		return nil, err
	}
	return []Fault{
		{"a node process killed", on(nodes[0], "systemctl", "kill", "-s", "KILL", fmt.Sprintf("wsnode@%d", killed)), held(nodes[0], killed)},
		{"a node process drained and replaced", on(nodes[1], "systemctl", "restart", fmt.Sprintf("wsnode@%d", drained)), held(nodes[1], drained)},
		{"HAProxy of an edge reloaded", on(edges[0], "systemctl", "reload", "wsfleet-haproxy@*"), nothing},
		{"Redis restarted", on(redis[0], "systemctl", "restart", "redis-server"), nothing},
		{"an edge process killed", on(edges[1], "systemctl", "kill", "-s", "KILL", fmt.Sprintf("wsfleet-haproxy@%d", edge)), heldByEdge(edges[1], edge)},
	}, nil
}

// anyProcess picks one of those that a host runs, by its number, as far as Prometheus knows.
func (f *Fleet) anyProcess(ctx context.Context, job string, h Host) (int, error) {
	n, err := f.sum(ctx, fmt.Sprintf("count(up{job=%q,host=%q} == 1)", job, h.ID))
	if err == nil && n < 1 {
		err = fmt.Errorf("prometheus knows no %s of %s", job, h.ID)
	}
	if err != nil {
		return 0, err
	}
	return rand.N(int(n)), nil
}

// heldByEdge counts the connections of one HAProxy.
func heldByEdge(h Host, process int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		figures, err := scrape(ctx, fmt.Sprintf("http://%s:%d/metrics?scope=frontend", h.Address, 8404+process))
		return int(figures["haproxy_frontend_current_sessions"]), err
	}
}
