package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
)

const faultNodeKilled = "a node process killed"

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
		{
			Name: faultNodeKilled,
			Do:   on(nodes[0], "systemctl", "kill", "-s", "KILL", fmt.Sprintf("wsnode@%d", killed)),
			Cuts: held(nodes[0], killed),
		},
		{
			Name: "a node process drained and replaced",
			Do:   on(nodes[1], "systemctl", "restart", fmt.Sprintf("wsnode@%d", drained)),
			Cuts: held(nodes[1], drained),
		},
		{Name: "HAProxy of an edge reloaded", Do: on(edges[0], "systemctl", "reload", "wsfleet-haproxy@*"), Cuts: nothing},
		{Name: "Redis restarted", Do: on(redis[0], "systemctl", "restart", "redis-server"), Cuts: nothing},
		{
			Name: "an edge process killed",
			Do:   on(edges[1], "systemctl", "kill", "-s", "KILL", fmt.Sprintf("wsfleet-haproxy@%d", edge)),
			Cuts: heldByEdge(edges[1], edge),
		},
		f.generatorKilled(f.role("loadgen")[0], edges),
	}, nil
}

// anyProcess picks one of those that a host runs, by its number.
func (f *Fleet) anyProcess(ctx context.Context, job string, h Host) (int, error) {
	n, err := f.processes(ctx, job, h)
	if err != nil {
		return 0, err
	}
	return rand.N(n), nil
}

// heldByEdge counts the connections of one HAProxy.
func heldByEdge(h Host, process int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		figures, err := scrape(ctx, fmt.Sprintf("http://%s:%d/metrics?scope=frontend", h.Address, 8404+process))
		return int(figures["haproxy_frontend_current_sessions"]), err
	}
}

// nothing is cut by what should not be noticed.
func nothing(context.Context) (int, error) { return 0, nil }
