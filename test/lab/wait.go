package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/progress"
)

func setupWait(fs *flag.FlagSet) func(context.Context, *lab, []string) error {
	n := fs.Int("n", 0, "how many hosts; 0 is all that there are, at least one")
	timeout := fs.Duration("timeout", 3*time.Minute, "how long to wait")
	return func(ctx context.Context, l *lab, _ []string) error {
		if *n < 0 {
			return fmt.Errorf("-n %d: want 0 or more", *n)
		}
		if *timeout <= 0 {
			return fmt.Errorf("-timeout %s: want more than 0", *timeout)
		}
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		p := progress.New(l.stdout, "hosts")
		defer p.Stop()
		p.Phase("boot")
		for {
			report, err := daemon.Ask(ctx, l.Place)
			if err != nil && ctx.Err() == nil {
				return err
			}
			running, want := report.Count(ec2sync.Running), max(*n, len(report.Hosts), 1)
			if *n > 0 {
				want = *n
			}
			p.Detail("%d of %d answer", running, want)
			if err == nil && running >= want {
				p.Done("%d answer on SSH", running)
				return nil
			}
			for _, h := range report.Hosts {
				if h.State == ec2sync.Dead {
					return fmt.Errorf("host %s is dead: %s", h.Instance, h.Note)
				}
			}
			select {
			case <-ctx.Done():
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					return fmt.Errorf("%d of %d hosts answer after %s; see lab status%s", running, want, *timeout, because(report))
				}
				return ctx.Err()
			case <-time.After(250 * time.Millisecond):
			}
		}
	}
}

// because names the first thing that is known to be wrong.
func because(r daemon.Report) string {
	if r.Problem != "" {
		return ": cannot read the instances: " + r.Problem
	}
	for _, h := range r.Hosts {
		if h.Note != "" {
			return fmt.Sprintf(": %s: %s", h.Instance, h.Note)
		}
	}
	return ""
}
