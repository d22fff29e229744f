//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// host is a machine that runs workers: this one, or an agent's.
type host struct {
	agent string // host:port; "" is this machine
	token string // that the agent wants
	index int    // in plan.hosts
	facts facts

	ahead     time.Duration // how far its clock is before this one's
	roundTrip time.Duration // of the message that told: ahead is right within half of it
	lost      string        // why the agent is gone, if it is; for the leader's goroutine
}

// link is the leader's end of a worker: the streams of wire.go. Write and kill are
// for any goroutine.
type link interface {
	// Read reads what the worker sends. Write hands it commands, within
	// commandTimeout. Close tells it that there are no more, which ends it.
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
	// kill ends the worker at once.
	kill()
	// wait returns why the worker ended, nil if it did so well. It is called when
	// Read has failed, with its error.
	wait(err error) error
}

// start starts a worker on h.
func (h *host) start(ctx context.Context, r request) (link, error) {
	if h.agent == "" {
		return startProcess()
	}
	return h.startRemote(ctx, r)
}

// survey asks h for its facts.
func (h *host) survey(ctx context.Context, q question) (err error) {
	if h.agent == "" {
		h.facts, err = survey(q)
		return err
	}
	if err := h.inquire(ctx, q); err != nil {
		return fmt.Errorf("agent %s: %w", h.agent, err)
	}
	return nil
}

// surveyAll asks all hosts at once for their facts; ask returns the question for
// each. The error names each host that fails.
func surveyAll(ctx context.Context, hosts []*host, ask func(*host) question) error {
	errs := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() { errs[i] = h.survey(ctx, ask(h)) })
	}
	all.Wait()
	if err := joined(errs); err != nil {
		return err
	}
	seen := map[string]*host{}
	for _, h := range hosts {
		if other := seen[h.facts.ID]; other != nil && h.agent != "" {
			return fmt.Errorf("-agents: %s and %s are one agent", other.agent, h.agent)
		}
		seen[h.facts.ID] = h
	}
	return nil
}

// joined makes one line of several errors.
func joined(errs []error) error {
	var texts []string
	for _, err := range errs {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// share is how many of n connections h has: they are dealt out in turn.
func (h *host) share(n, hosts int) int { return (n - h.index + hosts - 1) / hosts }

// startDelay is how long before the beginning of a schedule it is announced: every
// worker has read the command by then.
func (p *plan) startDelay() time.Duration {
	var longest time.Duration
	for _, h := range p.hosts {
		longest = max(longest, h.roundTrip)
	}
	return startDelay + 2*longest
}

// String is how errors and notes call h: "at 10.0.0.7:8767", or nothing.
func (h *host) String() string {
	if h.agent == "" {
		return ""
	}
	return " at " + h.agent
}

// agents is the report's part on them.
func (f *fleet) agents() []report.Agent {
	var agents []report.Agent
	for _, h := range f.hosts {
		if h.agent == "" {
			continue
		}
		a := report.Agent{Address: h.agent, ClockAhead: h.ahead.Seconds(), RoundTrip: h.roundTrip.Seconds(), Lost: h.lost}
		for _, m := range f.members {
			if m.host == h {
				a.Workers++
				a.Planned += int64(m.share)
			}
		}
		agents = append(agents, a)
	}
	return agents
}

func (f *fleet) agentsLost() (n int64) {
	for _, h := range f.hosts {
		if h.lost != "" {
			n++
		}
	}
	return n
}
