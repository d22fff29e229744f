package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// Stage is what was seen at the end of a part of the run.
type Stage struct {
	Name       string
	At         time.Duration // since the ramp began
	Load       float64       // connections by the load generators' count
	Prometheus float64       // by that of the nodes, as Prometheus knows it
	Memory     int64         // bytes of everything on this machine, see memoryUsed
}

// Record is all that a run of very many connections found.
type Record struct {
	Million
	Size
	Began        time.Time
	Empty        int64 // memory before the lab was started
	Idle         int64 // with the fleet up and no connection
	After        int64 // when all was gone
	Ramp         time.Duration
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
	if rec.Idle, err = memoryUsed(); err != nil {
		return err
	}
	faults := f.faults()
	publish := wsnodeURL(f.role("node")[0], 0) + "/publish?channel=broadcast"
	l, err := f.StartLoad(ctx, m.scenario(publish, len(faults)), m.Files)
	if err != nil {
		return err
	}
	if err := l.Enter(ctx, phaseRamp); err != nil {
		return err
	}
	start := time.Now()
	look := func(name string) error {
		s, err := f.look(ctx, l, name, start)
		if err == nil {
			rec.Stages = append(rec.Stages, s)
		}
		return err
	}
	err = errors.Join(
		f.step(fmt.Sprintf("ramp to %d connections", m.Connections), func() error {
			err := l.Enter(ctx, phaseEcho)
			rec.Ramp = time.Since(start)
			return errors.Join(err, look("connected"))
		}),
		f.step("every connection echoes", func() error {
			return errors.Join(l.Enter(ctx, phaseHold), look("echoed"))
		}),
		f.step("hold for "+m.Hold.String(), func() error { return f.hold(ctx, l, rec, look) }),
		f.step(fmt.Sprintf("%d broadcasts to all", m.Broadcasts), func() error {
			return errors.Join(l.Enter(ctx, phaseFaults), look("broadcast"))
		}),
	)
	if err != nil {
		return err
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
		if err := look(fault.Name); err != nil {
			return err
		}
	}
	rec.Report, err = l.Wait(ctx)
	return err
}

// hold watches that nothing is closed, and counts the pings.
func (f *Fleet) hold(ctx context.Context, l *Load, rec *Record, look func(string) error) error {
	before, err := l.Figures(ctx)
	if err != nil {
		return err
	}
	if err := l.Enter(ctx, phaseBroadcast); err != nil {
		return err
	}
	after, err := l.Figures(ctx)
	if err != nil {
		return err
	}
	rec.ClosedInHold = int(after["wsload_connections_closed_total"] - before["wsload_connections_closed_total"])
	rec.PingsInHold = int(after["wsload_pings_answered_total"] - before["wsload_pings_answered_total"])
	f.say("%d connections closed, %d pings answered", rec.ClosedInHold, rec.PingsInHold)
	return look("held")
}

// look takes the figures of one moment. Prometheus must agree with the load generators within some scrapes.
func (f *Fleet) look(ctx context.Context, l *Load, name string, start time.Time) (s Stage, err error) {
	s = Stage{Name: name, At: time.Since(start)}
	if s.Memory, err = memoryUsed(); err != nil {
		return s, err
	}
	figures, err := l.Figures(ctx)
	if err != nil {
		return s, err
	}
	s.Load = figures["wsload_connections"]
	if err := f.until(ctx, "sum(wsnode_connections)", s.Load, agreeTime); err != nil {
		return s, err
	}
	s.Prometheus = s.Load
	f.say("%s: %.0f connections, and Prometheus agrees; %.1f GiB", name, s.Load, float64(s.Memory)/(1<<30))
	return s, nil
}

// agreeTime is how long Prometheus may take to see what is: some scrapes.
const agreeTime = 90 * time.Second
