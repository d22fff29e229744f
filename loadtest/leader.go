//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// startDelay lets every worker read a command before its schedule begins.
	startDelay = 100 * time.Millisecond
	// phaseSlack is what a phase may take beyond its schedule and time-outs.
	phaseSlack = 30 * time.Second
	// closeSlack is the same for the closing, whose own time-out is 5 s.
	closeSlack = 15 * time.Second
	// settleTime is how long after the last delivery doubles may still come.
	settleTime = 250 * time.Millisecond
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
	started   time.Time
	published published
	confirmed int64 // broadcasts that were taken
	refused   bool
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
			return fail(stderr, exitFailed, fmt.Errorf("-publish %q: %w", p.cfg.Publish[i], err))
		}
	}
	if err := p.checkJSON(); err != nil {
		return fail(stderr, exitUsage, err)
	}
	if p.note != "" {
		fmt.Fprintln(stderr, "wsload:", p.note)
	}
	l := &leader{plan: p, screen: newScreen(stdout, stderr), started: time.Now()}
	l.tick = time.NewTicker(l.screen.interval())
	defer l.tick.Stop()
	var err error
	if l.fleet, err = startFleet(p); err != nil {
		return fail(stderr, exitFailed, err)
	}
	counts, err := l.run(ctx)
	l.fleet.end()
	l.screen.clear()
	if err != nil {
		return fail(stderr, exitFailed, err)
	}
	r := l.report(counts, ctx.Err() != nil)
	if err := p.writeJSON(r); err != nil {
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
			fmt.Fprintf(stderr, "wsload: expected %s, but it is %s\n", o.Text, number(o.Value))
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
	ramp := seconds(float64(l.cfg.Connections) / l.cfg.Rate)
	l.phase(ctx, doRamp, 2*ramp+2*l.cfg.Timeout+phaseSlack,
		fmt.Sprintf("planned=%d rate=%s workers=%d run=%s seed=%d", l.cfg.Connections, number(l.cfg.Rate), l.workers, l.plan.run, l.cfg.Seed))
	if l.cfg.Echo && l.goesOn(ctx) {
		round := seconds(float64(l.cfg.Connections) / l.cfg.EchoRate)
		l.phase(ctx, doEcho, 2*round+l.cfg.Timeout+phaseSlack, l.state())
	}
	if l.cfg.Broadcasts > 0 && l.goesOn(ctx) {
		l.broadcast(ctx)
	}
	if l.goesOn(ctx) {
		l.hold(ctx)
	}
	return l.close()
}

// phase sends a command that all workers begin together, and waits until they
// are through with it.
func (l *leader) phase(ctx context.Context, do action, limit time.Duration, detail string) {
	l.screen.phase(do, detail)
	start := time.Now().Add(startDelay)
	l.fleet.send(command{Do: do, At: start.UnixNano()})
	if !l.until(ctx, limit, func() bool { return do == doRamp && l.hopeless() || l.fleet.settled() }) && ctx.Err() == nil {
		l.screen.note(fmt.Sprintf("%s is not through after %s: going on", do, limit))
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
			before := l.fleet.lost()
			l.fleet.take(e)
			if l.fleet.lost() > before {
				l.screen.note(fmt.Sprintf("worker %d died: %s; its %d connections count as failed", e.from.index, e.from.dead, e.from.share))
			}
		case <-l.tick.C:
			l.show()
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

func (l *leader) broadcast(ctx context.Context) {
	l.screen.phase("broadcast", l.state())
	l.fleet.send(command{Do: doListen})
	if !l.until(ctx, phaseSlack, l.fleet.settled) {
		return
	}
	// Publishing waits for the other side, so it has a goroutine of its own.
	pubCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	progress := make(chan published, 1+l.cfg.Broadcasts)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.publishAll(pubCtx, time.Now().Add(startDelay), func(p published) { progress <- p })
	}()
	out := func() bool {
		for len(progress) > 0 {
			l.published = <-progress
			l.confirmed = int64(l.published.tried) - int64(len(l.published.failed))
		}
		select {
		case <-done:
			return len(progress) == 0
		default:
			return false
		}
	}
	schedule := seconds(float64(l.cfg.Broadcasts) / l.cfg.BroadcastRate)
	complete := l.until(ctx, 2*schedule+l.cfg.Timeout+phaseSlack, out)
	cancel()
	<-done
	out()
	if !complete {
		return
	}
	l.until(ctx, l.cfg.Timeout, func() bool {
		c, _ := l.fleet.now(l.confirmed)
		return len(l.published.failed) == 0 && c.Broadcast.Delivered >= c.Broadcast.Listeners*l.confirmed
	})
	l.until(ctx, settleTime, func() bool { return false })
}

// hold keeps the connections. It ends early when there are none left.
func (l *leader) hold(ctx context.Context) {
	limit := l.cfg.Hold
	if l.cfg.Keep {
		limit = 100 * 365 * 24 * time.Hour
	}
	if limit == 0 {
		return
	}
	l.screen.phase(doHold, l.state())
	l.until(ctx, limit, func() bool { return l.open() == 0 })
}

// close ends the connections and collects the results. It does not heed
// interrupts: a second one ends the process.
func (l *leader) close() (*report.Counts, error) {
	ctx := context.Background()
	l.phase(ctx, doClose, 2*seconds(float64(l.cfg.Connections)/l.cfg.CloseRate)+closeSlack, l.state())
	l.fleet.send(command{Do: doFinish, Published: l.published.tried, Failed: l.published.failed})
	if !l.until(ctx, phaseSlack, l.fleet.finished) {
		for _, m := range l.fleet.members {
			if m.dead == "" && m.result == nil {
				m.dead = "gave no result in time"
				_ = m.cmd.Process.Kill()
			}
		}
	}
	return l.fleet.now(l.confirmed)
}

func (l *leader) show() {
	c, _ := l.fleet.now(l.confirmed)
	l.screen.progress(time.Since(l.started), l.cfg, c, l.fleet.echoPercentiles(), l.confirmed)
}

func (l *leader) report(c *report.Counts, interrupted bool) *report.Report {
	r := &report.Report{
		Run: l.plan.run, Version: version, Seed: l.cfg.Seed,
		Started: l.started.UTC(), Duration: time.Since(l.started).Seconds(),
		Targets: l.cfg.Targets, Workers: int64(l.workers), WorkersLost: l.fleet.lost(),
		Interrupted: interrupted, Planned: int64(l.cfg.Connections),
	}
	for _, s := range l.published.sample {
		c.AddSample(s)
	}
	r.Fill(c, report.Publishing{Published: l.confirmed, Failed: int64(len(l.published.failed)), Pace: l.published.pace})
	r.Judge(l.cfg.expectations)
	return r
}

// writeJSON writes the report where -json says.
func (p *plan) writeJSON(r *report.Report) error {
	if p.cfg.JSON == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	b = append(b, '\n')
	if p.cfg.jsonOut != nil {
		_, err = p.cfg.jsonOut.Write(b)
	} else {
		err = os.WriteFile(p.cfg.JSON, b, 0o644)
	}
	return jsonError(p.cfg.JSON, err)
}

// checkJSON finds out before the run, not after it, whether -json can be written.
func (p *plan) checkJSON() error {
	if p.cfg.JSON == "" || p.cfg.jsonOut != nil {
		return nil
	}
	f, err := os.OpenFile(p.cfg.JSON, os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		err = f.Close()
	}
	return jsonError(p.cfg.JSON, err)
}

func jsonError(file string, err error) error {
	if err == nil {
		return nil
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("-json %q: %w", file, err)
}

func seconds(s float64) time.Duration {
	const century = 100 * 365 * 24 * 3600
	return time.Duration(min(s, century) * float64(time.Second))
}
