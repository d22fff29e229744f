//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// startDelay lets every worker read a command before its schedule begins;
	// one on another host takes longer: see plan.startDelay.
	startDelay = 100 * time.Millisecond
	// phaseSlack is what a phase may take beyond its schedule and time-outs.
	phaseSlack = 30 * time.Second
	// closeSlack is the same for the closing, whose own time-out is 5 s.
	closeSlack = 15 * time.Second
	// settleTime is how long after the last delivery doubles may still come.
	settleTime = 250 * time.Millisecond
	// lookInterval is how often the leader looks whether a phase is over, apart
	// from when a worker says something.
	lookInterval = 50 * time.Millisecond
	// refusedTries is after how many refusals, and nothing else, the target
	// counts as not there.
	refusedTries = 100
)

// leader takes a run through its phases.
type leader struct {
	*plan
	fleet     *fleet
	screen    *screen
	tick      *time.Ticker // of the progress shown
	look      *time.Ticker // at what ends with time
	started   time.Time
	published publishings
	refused   bool
	view      *view
}

// lead makes the run and reports it. It returns the exit status.
func lead(ctx context.Context, p *plan, stdout, stderr io.Writer) int {
	defer func() {
		for _, pub := range p.publishers {
			pub.Close()
		}
	}()
	for i, pub := range p.publishers {
		checkCtx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
		err := pub.Check(checkCtx)
		cancel()
		if err != nil {
			return fail(stderr, exitFailed, fmt.Errorf("-publish %q: %w", p.cfg.Publish.URLs[i], err))
		}
	}
	if err := p.checkOutputs(); err != nil {
		return fail(stderr, exitUsage, err)
	}
	for _, note := range p.notes {
		fmt.Fprintln(stderr, "wsload:", note)
	}
	l := &leader{plan: p, started: time.Now()}
	var err error
	if l.view, err = newView(p, stderr); err != nil {
		return fail(stderr, exitUsage, err)
	}
	defer l.view.stop()
	l.screen = newScreen(stdout, stderr)
	defer l.screen.close()
	l.tick = time.NewTicker(l.screen.interval())
	defer l.tick.Stop()
	l.look = time.NewTicker(lookInterval)
	defer l.look.Stop()
	if l.fleet, err = startFleet(ctx, p); err != nil {
		return fail(stderr, exitFailed, err)
	}
	counts, err := l.run(ctx)
	l.fleet.end()
	l.screen.close()
	if err != nil {
		return fail(stderr, exitFailed, err)
	}
	r := l.report(counts, ctx.Err() != nil)
	if err := p.writeOutputs(r); err != nil {
		return fail(stderr, exitFailed, err)
	}
	if l.refused {
		return fail(stderr, exitFailed, fmt.Errorf("target %s: connection refused, %d of %d times", p.cfg.Targets[0], r.Failures["dial.refused"], r.Planned-r.NotStarted))
	}
	writeSummary(stdout, r, p.cfg.Verbose)
	return l.verdict(r, stderr)
}

// verdict names what was not as expected.
func (l *leader) verdict(r *report.Report, stderr io.Writer) int {
	status := exitOK
	for _, o := range r.Expectations {
		if !o.OK {
			fmt.Fprintf(stderr, "wsload: expected %s, but it is %s\n", o.Text, figure.Number(o.Value))
			status = exitFailed
		}
	}
	if r.Generator.Behind > 0 {
		fmt.Fprintln(stderr, "wsload: the generator fell behind its own schedule: what is measured here is wsload, not the server")
	}
	return status
}

// run takes the fleet through the phases. An interrupt (the end of ctx) and the
// loss of every connection or worker lead to the closing early; the closing itself
// is bounded in time.
func (l *leader) run(ctx context.Context) (*report.Counts, error) {
	// The schedule must not begin before the workers can keep it.
	if !l.until(ctx, phaseSlack, l.fleet.settled) && ctx.Err() == nil {
		return nil, fmt.Errorf("the workers are not ready after %s", phaseSlack)
	}
	ramp := l.cfg.Connect.Profile().At(float64(l.cfg.Connections))
	l.command(ctx, command{Do: doRamp}, 2*ramp+2*l.cfg.Timeout+phaseSlack, fmt.Sprintf("planned=%d rate=%s workers=%d run=%s seed=%d",
		l.cfg.Connections, figure.Number(l.cfg.Connect.Profile()[0].Rate), l.workers, l.plan.run, l.cfg.Seed))
	for i, phase := range l.cfg.Phases {
		if !l.goesOn(ctx) {
			break
		}
		l.phase(ctx, i+1, phase)
	}
	return l.close()
}

// command sends one that all workers begin together, and waits until they are
// through with it.
func (l *leader) command(ctx context.Context, c command, limit time.Duration, detail string) {
	l.enter(string(c.Do), detail)
	c.At = time.Now().Add(l.startDelay()).UnixNano()
	l.fleet.send(c)
	if !l.until(ctx, limit, func() bool { return c.Do == doRamp && l.hopeless() || l.fleet.settled() }) && ctx.Err() == nil {
		l.screen.note(fmt.Sprintf("%s is not through after %s: going on", c.Do, limit))
	}
}

// until takes events until done says so (true), or the limit is reached or ctx
// ended (false).
func (l *leader) until(ctx context.Context, limit time.Duration, done func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !done() {
		select {
		case e := <-l.fleet.events:
			if note := l.fleet.take(e); note != "" {
				l.screen.note(note)
			}
		case <-l.look.C:
		case <-l.tick.C:
			l.show()
		case <-l.view.second.C:
			l.point()
		case <-deadline.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// hopeless notices a target that is not there, before the whole ramp has failed.
func (l *leader) hopeless() bool {
	c, _ := l.fleet.now(0)
	tries := min(int64(refusedTries), int64(l.cfg.Connections))
	l.refused = c.Connected == 0 && c.Failed >= tries && c.Failures["dial.refused"] == c.Failed
	return l.refused
}

// goesOn reports whether there is something left to go on with.
func (l *leader) goesOn(ctx context.Context) bool {
	return ctx.Err() == nil && l.open() > 0
}

func (l *leader) open() int64 {
	c, _ := l.fleet.now(0)
	return c.Open
}

// state is what every line about a phase begins with.
func (l *leader) state() string {
	c, _ := l.fleet.now(0)
	return fmt.Sprintf("connected=%d failed=%d", c.Open, c.Failed)
}

// close ends the connections and collects the results. It does not heed
// interrupts: a second one ends the process.
func (l *leader) close() (*report.Counts, error) {
	ctx := context.Background()
	l.command(ctx, command{Do: doClose}, 2*seconds(float64(l.cfg.Connections)/l.cfg.Close.Rate)+closeSlack, l.state())
	l.fleet.send(command{Do: doFinish, Published: &l.published.Published})
	if !l.until(ctx, phaseSlack, l.fleet.finished) {
		for _, m := range l.fleet.members {
			if m.dead == "" && m.result == nil {
				l.screen.note(l.fleet.bury(m, "gave no result in time"))
				m.kill()
			}
		}
	}
	l.point()
	counts, err := l.fleet.now(l.published.confirmed())
	if err != nil {
		return nil, err
	}
	return counts, counts.MergeTimes(&l.fleet.times)
}

func (l *leader) report(c *report.Counts, interrupted bool) *report.Report {
	r := &report.Report{
		Run: l.plan.run, Scenario: l.cfg.Name, Version: version, Seed: l.cfg.Seed,
		Started: l.started.UTC(), Duration: time.Since(l.started).Seconds(),
		Targets: l.cfg.Targets, Workers: int64(l.workers), WorkersLost: l.fleet.lost(),
		Agents: l.fleet.agents(), AgentsLost: l.fleet.agentsLost(),
		Interrupted: interrupted, Planned: int64(l.cfg.Connections),
	}
	for _, s := range l.published.samples {
		c.AddSample(s)
	}
	for key, pace := range l.published.paces {
		c.Paces.Of(key).Merge(*pace)
	}
	r.Fill(c, report.Publishing{Published: l.published.confirmed(), Failed: int64(len(l.published.Failed))})
	l.view.fill(r)
	r.Judge(l.cfg.expectations)
	return r
}

func seconds(s float64) time.Duration {
	const century = 100 * 365 * 24 * 3600
	return time.Duration(min(s, century) * float64(time.Second))
}
