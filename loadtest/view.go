//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/exporter"
	"github.com/wsfleet/wsfleet/loadtest/live"
	"github.com/wsfleet/wsfleet/loadtest/nodes"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// pointInterval is the time between two points of the timeline.
const pointInterval = time.Second

// view is what the leader keeps of a run as it goes on: the timeline, the servers'
// own metrics, and what is shown of both.
type view struct {
	second   *time.Ticker
	timeline report.Timeline
	phases   []report.Phase
	nodes    *nodes.Watch
	exporter *exporter.Exporter // nil without -metrics
	stop     func()
}

// newView begins to watch the nodes and to serve metrics.
func newView(p *plan, stderr io.Writer) (*view, error) {
	watch, err := nodes.New(p.cfg.NodeMetrics)
	if err != nil {
		return nil, fmt.Errorf("-node-metrics %w", err)
	}
	v := &view{nodes: watch}
	stopServing := func() {}
	if p.cfg.Metrics != "" {
		v.exporter = exporter.New(version, phaseNames(&p.cfg.Scenario))
		var addr net.Addr
		if addr, stopServing, err = v.exporter.Serve(p.cfg.Metrics); err != nil {
			return nil, fmt.Errorf("-metrics %w", err)
		}
		fmt.Fprintf(stderr, "wsload: metrics at http://%s/metrics\n", addr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	watch.Start(ctx)
	v.second = time.NewTicker(pointInterval)
	v.stop = func() {
		v.second.Stop()
		stopServing()
		cancel()
		watch.Wait()
	}
	return v, nil
}

// phaseNames are those of all phases of a run.
func phaseNames(s *scenario.Scenario) []string {
	names := []string{string(doRamp)}
	for _, p := range s.Phases {
		names = append(names, p.Name())
	}
	return append(names, string(doClose))
}

// fill adds what was seen to the report.
func (v *view) fill(r *report.Report) {
	r.Phases, r.Timeline, r.Nodes = v.phases, v.timeline.Points(), report.SumNodes(v.nodes.Report())
}

// enter begins a phase: it is shown, and noted in the timeline.
func (l *leader) enter(name, detail string) {
	l.view.phases = append(l.view.phases, report.Phase{Name: name, Start: time.Since(l.started).Seconds()})
	l.screen.phase(name, detail)
}

// point adds one to the timeline.
func (l *leader) point() {
	c, err := l.fleet.now(l.published.confirmed())
	if err != nil {
		return // the run ends with it
	}
	l.export(c)
	l.fleet.interval.TakeTimes(c)
	l.view.timeline.Add(report.Moment{At: time.Since(l.started), Phase: l.screen.current, Total: c, Nodes: l.view.nodes.Latest()})
}

// export shows Prometheus where the run stands.
func (l *leader) export(c *report.Counts) {
	if l.view.exporter == nil {
		return
	}
	total := c.Copy()
	_ = total.MergeTimes(&l.fleet.times) // equal geometries
	l.view.exporter.Set(exporter.State{
		Phase: l.screen.current, Planned: int64(l.cfg.Connections), Workers: int64(l.workers), WorkersLost: l.fleet.lost(),
		Published: l.published.confirmed(), Total: &total,
	})
}

// show shows where the run stands.
func (l *leader) show() {
	c, _ := l.fleet.now(l.published.confirmed())
	l.screen.progress(live.Status{
		Phase: l.screen.current, Elapsed: time.Since(l.started),
		Planned: int64(l.cfg.Connections), Rate: l.cfg.Connect.Profile()[0].Rate,
		Total: c, Second: l.view.timeline.Latest(), Required: l.required(c),
	})
}

// required is how many deliveries are due by now; 0 where clients come and go, and
// only their own count tells.
func (l *leader) required(c *report.Counts) int64 {
	for _, p := range l.cfg.Phases {
		if p.Churn != nil || p.Storm != nil {
			return 0
		}
	}
	_, channels := l.cfg.Broadcasts()
	return l.wanted(c.Broadcast.Listeners, max(channels, 1))
}
