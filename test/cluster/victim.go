package cluster

import (
	"context"
	"fmt"
	"time"
)

const (
	// victimConnections are what the load generator that gets killed holds, beside the load.
	victimConnections = 10_000
	victimRate        = 1000 // connections a second
	// victimUnit is its name on its host. It ends by itself if nobody kills it.
	victimUnit = "wsload-victim"
	victimHold = 10 * time.Minute
	// victimTime bounds the wait for its connections.
	victimTime = 2 * time.Minute
)

// generatorKilled is a load generator of its own that is killed with all its processes: the fleet must let go of its
// connections, and nobody else may notice.
func (f *Fleet) generatorKilled(on Host, edges []Host) Fault {
	all := 0 // connections of the nodes without it
	return Fault{
		Name: fmt.Sprintf("a load generator of %d more connections killed", victimConnections),
		Prepare: func(ctx context.Context) (err error) {
			if all, err = f.held(ctx); err != nil {
				return err
			}
			args := []string{"systemd-run", "--quiet", "--collect", "--unit=" + victimUnit, "wsload", "-a", fmt.Sprint(victimConnections),
				"-c", fmt.Sprint(victimRate), "-echo=false", "-hold", victimHold.String()}
			for _, e := range edges {
				args = append(args, "ws://"+e.Address+":8765/")
			}
			if err := f.sudo(ctx, on, args...); err != nil {
				return err
			}
			return f.untilHeld(ctx, all+victimConnections, victimTime)
		},
		Do: func(ctx context.Context) error {
			return f.sudo(ctx, on, "systemctl", "kill", "-s", "KILL", victimUnit)
		},
		Cuts: nothing,
		Whole: func(ctx context.Context) (bool, error) {
			now, err := f.held(ctx)
			return now <= all, err
		},
	}
}

// untilHeld waits until the nodes hold so many connections.
func (f *Fleet) untilHeld(ctx context.Context, want int, timeout time.Duration) error {
	for deadline := time.Now().Add(timeout); ; {
		have, err := f.held(ctx)
		if err != nil || have >= want {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the nodes hold %d connections after %s, want %d", have, timeout, want)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}
