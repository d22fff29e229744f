package cluster

import (
	"context"
	"fmt"
)

// sudo runs a command as root on a host.
func (f *Fleet) sudo(ctx context.Context, h Host, args ...string) error {
	out, err := f.ssh(ctx, h, append([]string{"sudo"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %v: %w: %s", h.Role, h.Address, args, err, out)
	}
	return nil
}

// wsnodeURL is the admin address of an instance of a node host.
func wsnodeURL(h Host, instance int) string {
	return fmt.Sprintf("http://%s:%d", h.Address, 8766+10*instance)
}

// held counts the connections of all nodes, now rather than at Prometheus' last scrape.
func (f *Fleet) held(ctx context.Context) (int, error) {
	all := 0
	for _, h := range f.role("node") {
		n, err := f.processes(ctx, "wsnode", h)
		if err != nil {
			return 0, err
		}
		for i := range n {
			have, err := held(h, i)(ctx)
			if err != nil {
				return 0, err
			}
			all += have
		}
	}
	return all, nil
}

// processes counts those that a host runs, as far as Prometheus knows.
func (f *Fleet) processes(ctx context.Context, job string, h Host) (int, error) {
	n, err := f.sum(ctx, fmt.Sprintf("count(up{job=%q,host=%q} == 1)", job, h.ID))
	if err == nil && n < 1 {
		err = fmt.Errorf("prometheus knows no %s of %s", job, h.ID)
	}
	return int(n), err
}

// held counts the connections of one wsnode.
func held(h Host, instance int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		figures, err := scrape(ctx, wsnodeURL(h, instance)+"/metrics")
		return int(figures["wsnode_connections"]), err
	}
}
