package cluster

import (
	"context"
	"fmt"
	"time"
)

// Fault is something that goes wrong, or is done to a fleet in service.
type Fault struct {
	Name string
	Do   func(ctx context.Context) error
	// Cuts counts the connections that the fault may cut, just before it.
	Cuts func(ctx context.Context) (int, error)
}

// Outcome is what a fault did.
type Outcome struct {
	Name    string
	MayCut  int           // connections that it may cut
	Cut     int           // that it did
	Back    int           // that came back
	Whole   time.Duration // from the fault until as many are connected as before
	Figures Figures       // of the load, when it was whole again
}

const (
	// wholeTime bounds the wait for a fleet to be whole again.
	wholeTime = 2 * time.Minute
	// settleTime is how long after a fault nothing may have happened yet: the kill of a process takes a while to reach
	// its clients.
	settleTime = 3 * time.Second
)

// Strike does it under load and waits until the fleet is whole again.
func (f *Fleet) Strike(ctx context.Context, l *Load, fault Fault) (o Outcome, err error) {
	o.Name = fault.Name
	err = f.step("fault: "+fault.Name, func() error {
		before, err := l.Figures(ctx)
		if err != nil {
			return err
		}
		if o.MayCut, err = fault.Cuts(ctx); err != nil {
			return err
		}
		start := time.Now()
		if err := fault.Do(ctx); err != nil {
			return err
		}
		lowest := before["wsload_connections"]
		for {
			now, err := l.Figures(ctx)
			if err != nil {
				return err
			}
			lowest = min(lowest, now["wsload_connections"])
			o.Cut = int(now["wsload_connections_closed_total"] - before["wsload_connections_closed_total"])
			o.Back = int(now["wsload_reconnections_total"] - before["wsload_reconnections_total"])
			o.Figures, o.Whole = now, time.Since(start)
			if now["wsload_connections"] >= before["wsload_connections"] && o.Whole > settleTime {
				break
			}
			if o.Whole > wholeTime {
				return fmt.Errorf("%.0f of %.0f connections %s after it", now["wsload_connections"], before["wsload_connections"], wholeTime)
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(200 * time.Millisecond):
			}
		}
		f.say("%d cut of %d that it may cut, %d came back, whole after %s", o.Cut, o.MayCut, o.Back, o.Whole.Round(100*time.Millisecond))
		return nil
	})
	return o, err
}

// nothing is cut by what should not be noticed.
func nothing(context.Context) (int, error) { return 0, nil }

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

// held counts the connections of one wsnode.
func held(h Host, instance int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		figures, err := scrape(ctx, wsnodeURL(h, instance)+"/metrics")
		return int(figures["wsnode_connections"]), err
	}
}
