package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// Stage is what was seen at the end of a part of the run.
type Stage struct {
	Name       string
	Part       bool          // of the run, rather than a fault
	At         time.Duration // since the ramp began
	Load       float64       // connections by the load generators' count
	Prometheus float64       // by that of the nodes, as Prometheus knows it
	Memory     Memory        // of everything on this machine
}

// Record is all that a run of very many connections found.
type Record struct {
	Million
	Size
	Edge         string // the balancer and its layer
	Command      string // that repeats it
	Began, Ended time.Time
	Ramped       time.Time // when the first client connected
	Versions     []Version
	Empty        Memory // before the lab was started
	Idle         Memory // with the fleet up and no connection
	After        Memory // when all was gone
	Ramp         time.Duration
	LastDelivery time.Duration // of the slowest of the broadcasts between hold and faults
	Stages       []Stage
	ClosedInHold int
	PingsInHold  int
	Faults       []Outcome
	Report       report.Report
}

// Carry runs the load through its phases, with the faults, and notes what it sees.
func (f *Fleet) Carry(ctx context.Context, m Million, rec *Record) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the load, if this ends early
	if rec.Idle, err = measureMemory(); err != nil {
		return err
	}
	rec.Versions = f.versions(ctx)
	var faults []Fault
	if m.Fault > 0 {
		if faults, err = f.faults(ctx); err != nil {
			return err
		}
	}
	targets, err := f.targets(ctx, m.Direct)
	if err != nil {
		return err
	}
	publish := wsnodeURL(f.role("node")[0], 0) + "/publish?channel=broadcast"
	l, err := f.StartLoad(ctx, m.scenario(targets, publish, len(faults)), m.Files)
	if err != nil {
		return err
	}
	if err := l.Enter(ctx, phaseRamp); err != nil {
		return err
	}
	go f.watch(ctx, l)
	start := time.Now()
	rec.Ramped = start
	look := func(name string, part bool) error {
		s, err := f.look(ctx, l, name, start)
		s.Part = part
		if err == nil {
			rec.Stages = append(rec.Stages, s)
		}
		return err
	}
	for _, part := range []struct {
		name  string
		until int // the phase that begins when it is over
		seen  string
	}{
		{fmt.Sprintf("ramp to %d connections", m.Connections), phaseEcho, "connected"},
		{"every connection echoes", phaseHold, "echoed"},
		{"hold for " + m.Hold.String(), phaseBroadcast, stageHeld},
		{fmt.Sprintf("%d broadcasts to all", m.Broadcasts), phaseFaults, "broadcast"},
	} {
		if err := f.step(part.name, func() error {
			begun, err := l.Figures(ctx)
			if err != nil {
				return err
			}
			if err := l.Enter(ctx, part.until); err != nil {
				return err
			}
			switch part.until {
			case phaseEcho:
				rec.Ramp = time.Since(start)
			case phaseBroadcast:
				if err := rec.held(ctx, l, begun); err != nil {
					return err
				}
				f.say("%d connections closed, %d pings answered", rec.ClosedInHold, rec.PingsInHold)
			}
			return look(part.seen, true)
		}); err != nil {
			return err
		}
	}
	for i, fault := range faults {
		if err := l.Enter(ctx, phaseFaults+i); err != nil {
			return err
		}
		o, err := f.Strike(ctx, l, fault)
		rec.Faults = append(rec.Faults, o)
		if err != nil {
			return err
		}
		if err := look(fault.Name, false); err != nil {
			return err
		}
	}
	if rec.Report, err = l.Wait(ctx); err != nil {
		return err
	}
	rec.Ended = time.Now()
	for _, p := range rec.Report.Timeline {
		if p.Phase == "broadcast" { // those of the faults are part of a hold
			rec.LastDelivery = max(rec.LastDelivery, time.Duration(p.Broadcast.Max*float64(time.Second)))
		}
	}
	return f.step("pictures", func() error { return rec.draw(ctx, f) })
}

// held notes what happened since figures were before.
func (rec *Record) held(ctx context.Context, l *Load, before Figures) error {
	after, err := l.Figures(ctx)
	if err != nil {
		return err
	}
	rec.ClosedInHold = int(after["wsload_connections_closed_total"] - before["wsload_connections_closed_total"])
	rec.PingsInHold = int(after["wsload_pings_answered_total"] - before["wsload_pings_answered_total"])
	return nil
}

// look takes the figures of one moment. Prometheus must agree with the load generators within some scrapes.
func (f *Fleet) look(ctx context.Context, l *Load, name string, start time.Time) (s Stage, err error) {
	s = Stage{Name: name, At: time.Since(start)}
	if s.Memory, err = measureMemory(); err != nil {
		return s, err
	}
	for deadline := time.Now().Add(agreeTime); ; {
		figures, err := l.Figures(ctx)
		if err != nil {
			return s, err
		}
		s.Load = figures["wsload_connections"]
		if s.Prometheus, err = f.sum(ctx, "sum(wsnode_connections)"); err != nil {
			return s, err
		}
		if s.Load == s.Prometheus {
			f.say("%s: %.0f connections, and Prometheus agrees; %.1f GiB", name, s.Load, gib(s.Memory.Used))
			return s, nil
		}
		if time.Now().After(deadline) {
			return s, fmt.Errorf("the load generators have %.0f connections, the nodes by Prometheus %.0f, for %s", s.Load, s.Prometheus, agreeTime)
		}
		select {
		case <-ctx.Done():
			return s, context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// stageHeld is the stage at the end of the hold, of which the report gives the memory.
const stageHeld = "held"

// agreeTime is how long Prometheus may take to see what is: some scrapes.
const agreeTime = 90 * time.Second
