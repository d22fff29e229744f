package cluster

import (
	"context"
	"fmt"
	"time"
)

// Fault is something that goes wrong, or is done to a fleet in service.
type Fault struct {
	Name string
	// Prepare gets ready what the fault is to hit; nil for nothing.
	Prepare func(ctx context.Context) error
	Do      func(ctx context.Context) error
	// Cuts counts the connections of the load that the fault may cut, just before it.
	Cuts func(ctx context.Context) (int, error)
	// Whole says whether all is as it was, beyond the load's connections; nil for nothing beyond them.
	Whole func(ctx context.Context) (bool, error)
}

// Outcome is what a fault did.
type Outcome struct {
	Name    string
	Began   time.Time
	MayCut  int           // connections that it may cut
	Cut     int           // that it did
	Back    int           // that came back
	Whole   time.Duration // from the fault until as many are connected as before
	Figures Figures       // of the load, when it was whole again
}

const (
	// wholeTime bounds the wait for a fleet to be whole again.
	wholeTime = 2 * time.Minute
	// settleTime is how long a fault that should cut nothing gets to cut something after all.
	settleTime = 10 * time.Second
)

// Strike does it under load and waits until the fleet is whole again.
func (f *Fleet) Strike(ctx context.Context, l *Load, fault Fault) (o Outcome, err error) {
	o.Name = fault.Name
	err = f.step("fault: "+fault.Name, func() error {
		if fault.Prepare != nil {
			if err := fault.Prepare(ctx); err != nil {
				return err
			}
		}
		before, err := l.Figures(ctx)
		if err != nil {
			return err
		}
		if o.MayCut, err = fault.Cuts(ctx); err != nil {
			return err
		}
		start := time.Now()
		o.Began = start
		if err := fault.Do(ctx); err != nil {
			return err
		}
		for {
			now, err := l.Figures(ctx)
			if err != nil {
				return err
			}
			o.Cut = int(now["wsload_connections_closed_total"] - before["wsload_connections_closed_total"])
			o.Back = int(now["wsload_reconnections_total"] - before["wsload_reconnections_total"])
			o.Figures, o.Whole = now, time.Since(start)
			whole := now["wsload_connections"] >= before["wsload_connections"] && o.seen()
			if whole && fault.Whole != nil {
				if whole, err = fault.Whole(ctx); err != nil {
					return err
				}
				o.Whole = time.Since(start)
			}
			if whole {
				break
			}
			if o.Whole > wholeTime {
				return fmt.Errorf("%.0f of %.0f connections %s after it; %d were cut of %d that it may cut, %d came back",
					now["wsload_connections"], before["wsload_connections"], wholeTime, o.Cut, o.MayCut, o.Back)
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

// seen says whether the load generators know by now what the fault did: their figures lag behind on a busy machine. One that
// cuts connections cuts all that it may, but for a few that went by themselves.
func (o *Outcome) seen() bool {
	if o.MayCut == 0 {
		return o.Whole > settleTime
	}
	return o.Back >= o.Cut && o.Cut >= o.MayCut-o.MayCut/100
}
