//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

const (
	// quietTime is how long no delivery has to come, where clients came and went,
	// before the rest counts as lost.
	quietTime = 3 * time.Second
	// holdForever is the hold that lasts until interrupted.
	holdForever = 100 * 365 * 24 * time.Hour
)

// phase runs all activities of a phase together, until the last one is through.
// What does not end by itself is left behind after twice its time.
func (l *leader) phase(ctx context.Context, number int, p scenario.Phase) {
	l.enter(p.Name(), l.state())
	if p.Broadcast != nil {
		l.fleet.send(command{Do: doListen, Late: p.Broadcast.Late})
		if !l.until(ctx, phaseSlack, l.fleet.settled) {
			return
		}
	}
	start := time.Now().Add(l.startDelay())
	if p != (scenario.Phase{Hold: p.Hold, Broadcast: p.Broadcast}) {
		l.fleet.send(command{Do: doPhase, At: start.UnixNano(), Number: number, Phase: &p})
	}
	broadcast := l.startBroadcast(ctx, number, p, start)
	defer broadcast.stop()
	held := l.holding(p, start)
	through := func() bool {
		// All three each time: each of them has events to take.
		h, b, w := held(), broadcast.through(), l.fleet.settled()
		return h && b && w
	}
	limit := l.limit(p)
	if !l.until(ctx, limit, through) && ctx.Err() == nil {
		l.screen.note(fmt.Sprintf("%s is not through after %s: going on", p.Name(), limit))
	}
}

// limit is what the activities may take.
func (l *leader) limit(p scenario.Phase) time.Duration {
	var most time.Duration
	if e := p.Echo; e != nil {
		round := seconds(float64(l.cfg.Connections*e.Rounds) / e.Rate)
		most = max(most, 2*(round+e.For)+l.cfg.Timeout)
	}
	if b := p.Broadcast; b != nil {
		most = max(most, 2*seconds(float64(b.Count)/b.Rate)+2*l.cfg.Timeout)
	}
	if c := p.Churn; c != nil {
		most = max(most, 2*c.For+3*l.cfg.Timeout)
	}
	if s := p.Storm; s != nil {
		most = max(most, s.GiveUp+2*l.cfg.Timeout)
	}
	if s := p.Stall; s != nil {
		most = max(most, 2*s.For)
	}
	if r := l.cfg.Reconnect; r != nil {
		most += r.GiveUp + l.cfg.Timeout
	}
	most += phaseSlack
	if h := p.Hold; h != nil {
		if h.For == 0 {
			return holdForever
		}
		most = max(most, h.For+phaseSlack)
	}
	return min(most, holdForever)
}

// holding returns whether the hold of a phase is over. It ends early when nothing
// is left to hold.
func (l *leader) holding(p scenario.Phase, start time.Time) func() bool {
	if p.Hold == nil {
		return func() bool { return true }
	}
	length := p.Hold.For
	if length == 0 {
		length = holdForever
	}
	return func() bool { return time.Since(start) >= length || l.fleet.settled() && l.open() == 0 }
}

// broadcasting is the publishing of a phase, and the wait for what it published.
type broadcasting struct {
	l        *leader
	phase    int
	b        *scenario.Broadcast // nil if the phase has none
	moving   bool                // clients come and go in the phase
	exact    bool                // all the same it is known how many deliveries there must be
	outcomes chan outcome
	done     chan struct{} // closed when publishing is over
	cancel   context.CancelFunc

	delivered int64     // when looked at last
	since     time.Time // it is so many
	until     time.Time // the wait for deliveries ends; zero while publishing
	complete  time.Time // all have come
}

// startBroadcast begins to publish. That waits for the other side, so it has a
// goroutine of its own.
func (l *leader) startBroadcast(ctx context.Context, number int, p scenario.Phase, start time.Time) *broadcasting {
	x := &broadcasting{l: l, phase: number, b: p.Broadcast, since: time.Now()}
	away := p.Storm != nil || l.cfg.Reconnect != nil
	x.moving = p.Churn != nil || p.Stall != nil || away
	x.exact = !x.moving || away && l.cfg.Resume && p.Churn == nil && p.Stall == nil
	ctx, x.cancel = context.WithCancel(ctx)
	x.done = make(chan struct{})
	if x.b == nil {
		close(x.done)
		return x
	}
	x.outcomes = make(chan outcome, x.b.Count)
	first := len(l.published.Sent)
	go func() {
		defer close(x.done)
		l.publishAll(ctx, *x.b, first, start, func(o outcome) { x.outcomes <- o })
	}()
	return x
}

// stop ends the publishing and notes what it did.
func (x *broadcasting) stop() {
	x.cancel()
	<-x.done
	x.collect()
}

func (x *broadcasting) collect() {
	for len(x.outcomes) > 0 {
		x.l.published.take(x.phase, <-x.outcomes)
	}
}

// through reports whether all is published, and delivered as far as it can be
// expected: where clients stay, every broadcast on every connection within the
// time-out, where they move, until nothing comes any more; where they get what they
// missed, whatever is first. A little later doubles would have come too.
func (x *broadcasting) through() bool {
	if x.b == nil {
		return true
	}
	x.collect()
	select {
	case <-x.done:
	default:
		return false
	}
	now := time.Now()
	if x.until.IsZero() {
		x.collect() // the last ones, from before done was closed
		x.until, x.since = now.Add(x.l.cfg.Timeout), now
	}
	if !x.complete.IsZero() {
		return now.Sub(x.complete) >= settleTime
	}
	confirmed := x.l.published.confirmed()
	c, _ := x.l.fleet.now(confirmed)
	if c.Broadcast.Delivered != x.delivered {
		x.delivered, x.since = c.Broadcast.Delivered, now
	}
	switch {
	case !now.Before(x.until), x.moving && now.Sub(x.since) >= quietTime,
		x.exact && len(x.l.published.Failed) == 0 && c.Broadcast.Delivered >= x.l.wanted(c.Broadcast.Listeners, x.b.Channels):
		x.complete = now
	}
	return false
}

// wanted is how many deliveries there are when so many clients listen.
func (l *leader) wanted(listeners int64, channels int) (n int64) {
	for i := range min(channels, len(l.published.Sent)) {
		published := (len(l.published.Sent) - i + channels - 1) / channels
		n += int64(published) * ((listeners - int64(i) + int64(channels) - 1) / int64(channels))
	}
	return n
}
