//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// member is the leader's end of one worker. Only the leader's goroutine uses it.
type member struct {
	link
	index    int
	share    int // connections
	host     *host
	commands int // taken by the worker
	progress engine.Progress
	result   *report.Counts
	dead     string // why it counts as dead, if it does
	class    string // of its connections' failure then
	ended    bool   // nothing more comes from it
}

// memberEvent is what a member sent, or its end.
type memberEvent struct {
	from  *member
	event event
	ended bool
	why   string
}

// fleet is all workers of a run.
type fleet struct {
	members  []*member
	hosts    []*host
	events   chan memberEvent
	sent     int             // commands sent
	listens  bool            // doListen is among them
	channels int             // of broadcasts, 0 or 1 for the one that all listen to
	echoes   []scenario.Echo // of the phases among them

	// Only the distributions of these are used: all that workers have sent, and
	// what they have sent since the timeline's latest point. What a worker had
	// measured before it died stays in them.
	times, interval report.Counts
}

// startFleet starts the workers and gives them their shares.
func startFleet(ctx context.Context, p *plan) (*fleet, error) {
	f := &fleet{events: make(chan memberEvent, 4*p.workers), hosts: p.hosts, channels: p.engine.Channels}
	members := make([]*member, p.workers)
	errs := make([]error, len(p.hosts))
	var all sync.WaitGroup
	for h, host := range p.hosts {
		all.Go(func() {
			for i := h; i < p.workers && errs[h] == nil; i += len(p.hosts) {
				members[i], errs[h] = f.start(ctx, p, host, i)
			}
		})
	}
	all.Wait()
	for _, m := range members {
		if m != nil {
			f.members = append(f.members, m)
		}
	}
	if err := joined(errs); err != nil {
		f.end()
		return nil, err
	}
	f.sent = 1
	return f, nil
}

func (f *fleet) start(ctx context.Context, p *plan, h *host, i int) (*member, error) {
	share := p.share(i)
	m := &member{index: i, share: share.Connections(), host: h}
	var err error
	if m.link, err = h.start(ctx, request{Run: p.run, Connections: m.share}); err != nil {
		return nil, fmt.Errorf("start %s: %w", m, err)
	}
	go f.listen(m)
	m.send(command{Do: doConfigure, Config: &share, Every: progressInterval(p.workers), Crowded: p.crowded()})
	return m, nil
}

// String is how notes and errors call the worker.
func (m *member) String() string { return fmt.Sprintf("worker %d%s", m.index, m.host) }

// listen hands on what the worker sends, and at last how it ended.
func (f *fleet) listen(m *member) {
	d := json.NewDecoder(bufio.NewReader(m.link))
	var err error
	for err == nil {
		var e event
		if err = d.Decode(&e); err == nil {
			f.events <- memberEvent{from: m, event: e}
		}
	}
	why := "ended without a result"
	if err := m.wait(err); err != nil {
		why = err.Error()
	}
	f.events <- memberEvent{from: m, ended: true, why: why}
}

// send gives the worker a command; one that does not take it is ended, which
// shows as an event.
func (m *member) send(c command) {
	if m.dead != "" {
		return
	}
	line, err := json.Marshal(c)
	if err == nil {
		_, err = m.Write(append(line, '\n'))
	}
	if err != nil {
		m.kill()
	}
}

// send gives all workers a command.
func (f *fleet) send(c command) {
	f.sent++
	f.listens = f.listens || c.Do == doListen
	if c.Do == doPhase && c.Phase.Echo != nil {
		f.echoes = append(f.echoes, *c.Phase.Echo)
	}
	for _, m := range f.members {
		m.send(c)
	}
}

// progressInterval is how often a worker says what has changed: all together send
// some hundred lines a second, whatever their number.
func progressInterval(workers int) time.Duration {
	return max(100*time.Millisecond, time.Duration(workers)*10*time.Millisecond)
}

// take notes what a worker sent. It returns what the user should know of it, if
// anything: that a worker died, or an agent is lost.
func (f *fleet) take(e memberEvent) string {
	m := e.from
	switch {
	case e.ended:
		m.ended = true
		switch {
		case m.result != nil || m.dead != "":
		case m.host.agent != "": // which would have told of its worker's end
			return f.lose(m.host, e.why)
		default:
			return f.bury(m, e.why)
		}
	case e.event.Result != nil:
		m.commands, m.result = e.event.Commands, e.event.Result
		f.takeTimes(m.result)
	case e.event.Progress != nil:
		m.commands, m.progress = e.event.Commands, *e.event.Progress
		f.takeTimes(&m.progress.Counts)
	case m.dead != "":
	case e.event.AgentEnds:
		return f.lose(m.host, "it was told to end")
	case e.event.Error != "":
		return f.bury(m, e.event.Error)
	}
	return ""
}

// bury notes that a worker is dead.
func (f *fleet) bury(m *member, why string) string {
	m.dead, m.class = why, "worker.died"
	return fmt.Sprintf("%s died: %s; its %d connections count as failed", m, why, m.share)
}

// lose gives up an agent: what it still runs must not go on unseen.
func (f *fleet) lose(h *host, why string) string {
	h.lost = why
	workers, connections := 0, 0
	for _, m := range f.members {
		if m.host == h && m.result == nil && m.dead == "" {
			m.dead, m.class = "the agent is lost: "+why, "agent.lost"
			m.kill()
			workers++
			connections += m.share
		}
	}
	return fmt.Sprintf("agent %s is lost: %s; the %d connections of its %d worker(s) count as failed", h.agent, why, connections, workers)
}

// takeTimes adds the distributions of what came since the worker's last event, and
// leaves none in c.
func (f *fleet) takeTimes(c *report.Counts) {
	var news report.Counts
	c.TakeTimes(&news)
	_ = f.times.MergeTimes(&news) // the same geometry, and less than 2^63 times
	_ = f.interval.MergeTimes(&news)
}

// settled reports whether every living worker has carried out what it was sent.
func (f *fleet) settled() bool {
	for _, m := range f.members {
		if m.dead == "" && (m.commands < f.sent || !m.progress.Done) {
			return false
		}
	}
	return true
}

func (f *fleet) lost() (n int64) {
	for _, m := range f.members {
		if m.dead != "" {
			n++
		}
	}
	return n
}

// finished reports whether every worker has given its result or died.
func (f *fleet) finished() bool {
	for _, m := range f.members {
		if m.dead == "" && m.result == nil {
			return false
		}
	}
	return true
}

// now merges what is known of all workers: their results, or their latest
// progress. The distributions are in times.
func (f *fleet) now(confirmed int64) (*report.Counts, error) {
	sum := &report.Counts{}
	for _, m := range f.members {
		counts := &m.progress.Counts
		switch {
		case m.dead != "":
			counts = f.lostShare(m, confirmed)
		case m.result != nil:
			counts = m.result
		}
		if err := sum.Merge(counts); err != nil {
			return nil, fmt.Errorf("%s: %w", m, err)
		}
	}
	return sum, nil
}

// lostShare counts all of a dead worker's part as failed: nobody can tell any
// more what of it was well.
func (f *fleet) lostShare(m *member, confirmed int64) *report.Counts {
	n := int64(m.share)
	c := &report.Counts{
		Started: n, Failed: n, Failures: report.Classes{m.class: n},
		Samples: []report.Sample{{Class: m.class, Connection: -1, Error: fmt.Sprintf("%s: %s", m, m.dead)}},
		Usage:   report.Usage{CPUSeconds: m.progress.Usage.CPUSeconds},
	}
	for _, e := range f.echoes {
		requests := n * int64(e.Rounds)
		if e.For > 0 {
			requests = int64(e.Rate*e.For.Seconds()) / int64(len(f.members))
		}
		c.Echo.Sent += requests
		c.Echo.Closed += requests
	}
	if f.listens {
		// Clients are dealt out to channels in turn: each has an even part of the share.
		due := n * confirmed / int64(max(f.channels, 1))
		c.Broadcast = report.BroadcastCounts{Listeners: n, Expected: due, Lost: due, LostClosed: due, Affected: n}
	}
	return c
}

// end makes sure that no worker is left.
func (f *fleet) end() {
	for _, m := range f.members {
		m.Close()
		if m.result == nil {
			m.kill()
		}
	}
	deadline := time.After(commandTimeout)
	for !f.ended() {
		select {
		case e := <-f.events:
			f.take(e)
		case <-deadline:
			for _, m := range f.members {
				m.kill()
			}
		}
	}
}

func (f *fleet) ended() bool {
	for _, m := range f.members {
		if !m.ended {
			return false
		}
	}
	return true
}
