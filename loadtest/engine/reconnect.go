//go:build linux

package engine

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/pace"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// comebacks is how many clients dial in one task at the most.
const comebacks = 64

// policy says how clients come back.
type policy struct {
	scenario.Comeback
	begun time.Duration // the activity, since Engine.base
	pace  string        // key of its comebacks
}

// absence is what is known of a client that is on its way back.
type absence struct {
	*policy
	cut      time.Duration // since Engine.base
	back     time.Duration // when it is to dial first; at once if that is past
	attempts int           // failed so far
	listened time.Duration // client.since of a listener
}

// comeback is when a client dials again.
type comeback struct {
	at    time.Duration // since Engine.base
	index uint32
}

// absent are the clients on their way back.
type absent struct {
	absences map[uint32]*absence // by index of the client
	queue    queue
	timer    *time.Timer // runs while the queue is not empty
	lose     *policy     // of those who lose their connection in this phase; nil until one does
}

// queue is a heap of what is due first.
type queue []comeback

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(comeback)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

func (e *Engine) beginChurn(phase int, a scenario.Churn, at time.Time) {
	// Replacements that fail are tried again as in a storm.
	var storm scenario.Storm
	storm.SetDefaults()
	p := e.policy(phase, at, storm.Comeback)
	s := e.schedule(at, pace.Constant(a.Rate), a.Schedule, phase)
	s.Count, s.Until = int(a.Rate*a.For.Seconds())+1, a.For
	if s.Poisson {
		s.Count *= 2
	}
	turn := 0
	e.run(report.PaceKey(phase, "churn"), s, func(int, pacing) {
		// The longest connected are next in turn. One that awaits an answer is
		// passed over.
		for range e.clients {
			c := &e.clients[turn%len(e.clients)]
			turn++
			if c.state == open && c.exchange == nil && c.flags&stalled == 0 {
				c.cut(p, 0, true)
				c.closeHandshake()
				return
			}
		}
	})
}

func (e *Engine) beginStorm(phase int, a scenario.Storm, at time.Time) {
	p := e.policy(phase, at, a.Comeback)
	var clients []*client
	for i := range e.clients {
		if c := &e.clients[i]; c.state == open && c.chosen(a.Share) {
			clients = append(clients, c)
		}
	}
	// All at once, but for the time that the loop takes between batches.
	s := pace.Schedule{Start: at, Profile: pace.Constant(1e9), Stride: 1, Count: len(clients)}
	e.run("", s, func(k int, _ pacing) {
		if c := clients[k]; c.state == open {
			c.cut(p, p.begun+jitter(e.rng, a.Within), false)
			c.reset()
		}
	})
}

func (e *Engine) policy(phase int, at time.Time, c scenario.Comeback) *policy {
	return &policy{c, at.Sub(e.base), report.PaceKey(phase, "reconnect")}
}

// lose is the policy of clients whose connection the server or the network ended.
func (e *Engine) lose() *policy {
	if e.absent.lose == nil {
		e.absent.lose = e.policy(e.phase, time.Now(), e.cfg.Reconnect.Comeback)
	}
	return e.absent.lose
}

// chosen spreads a share of the connections evenly over their numbers.
func (c *client) chosen(share float64) bool {
	n := float64(c.number())
	return int64((n+1)*share) > int64(n*share)
}

// jitter returns a random time up to limit.
func jitter(rng *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(rng.Float64() * float64(limit))
}

// cut notes that c leaves to come back at back, as itself or, when it is replaced,
// as another client.
func (c *client) cut(p *policy, back time.Duration, isReplaced bool) {
	e := c.e
	e.counts.Reconnect.Cut++
	now := e.now()
	if e.absent.absences == nil {
		e.absent.absences = map[uint32]*absence{}
	}
	e.absent.absences[c.index] = &absence{policy: p, cut: now, back: back, listened: c.since}
	c.flags |= returning
	c.owe()
	c.echoLost()
	if isReplaced {
		if c.flags&listener != 0 {
			e.listening.departed = append(e.listening.departed, departed{c.seen, c.channel(), span{c.since, now - e.listening.late}, c.flags&affected != 0})
		}
		c.seen = seen{}
		c.flags &^= listener | affected
		c.flags |= replaced
	}
}

// comesBack goes on with a client whose connection has ended.
func (c *client) comesBack() {
	if c.e.closing {
		c.staysAway()
		return
	}
	c.dialAt(max(c.e.now(), c.e.absent.absences[c.index].back))
}

// dialAt makes c dial at a time since Engine.base.
func (c *client) dialAt(at time.Duration) {
	e := c.e
	c.state = away
	q := &e.absent.queue
	heap.Push(q, comeback{at, c.index})
	if e.absent.timer == nil {
		e.absent.timer = time.AfterFunc(0, func() { e.loop.Post(e.dialDue) })
		return
	}
	if (*q)[0].at == at {
		e.absent.timer.Reset(at - e.now())
	}
}

// dialDue dials those whose time has come, some at a time.
func (e *Engine) dialDue() {
	q := &e.absent.queue
	for n := 0; n < comebacks && q.Len() > 0 && (*q)[0].at <= e.now(); n++ {
		next := heap.Pop(q).(comeback)
		c := &e.clients[next.index]
		if c.state != away {
			continue
		}
		p := e.absent.absences[next.index].policy
		e.counts.Paces.Of(p.pace).Record(next.at-p.begun, e.now()-p.begun)
		c.life++
		c.connect(next.at)
	}
	if q.Len() > 0 {
		e.absent.timer.Reset((*q)[0].at - e.now())
	}
}

// returned ends the absence of c, which is open again.
func (c *client) returned() {
	e := c.e
	a := e.absent.absences[c.index]
	delete(e.absent.absences, c.index)
	now := e.now()
	e.counts.Reconnect.OK++
	e.counts.ReconnectLatency.Record(now - a.cut)
	c.flags &^= returning | replaced | lostPeer
	switch {
	case c.flags&listener != 0:
		c.since = a.listened
		if e.listening.gaps == nil {
			e.listening.gaps = map[uint32][]span{}
		}
		e.listening.gaps[c.index] = append(e.listening.gaps[c.index], span{a.cut, now})
	case e.listening.on:
		c.listen(now + arrival)
	}
}

// failsToReturn counts a failed attempt and decides about the next one.
func (c *client) failsToReturn(stage string, err error) {
	e := c.e
	a := e.absent.absences[c.index]
	e.counts.Reconnect.FailedAttempts++
	class := stage + classify(err)
	e.counts.ReconnectFailures.Add(class)
	c.sampleError("reconnect."+class, err)
	limit := a.MaxBackoff
	if a.attempts < 32 {
		limit = min(limit, a.Backoff<<a.attempts)
	}
	a.attempts++
	at := e.now() + jitter(e.rng, limit)
	if e.closing || at > a.cut+a.GiveUp {
		c.staysAway()
		return
	}
	c.dialAt(at)
}

// staysAway gives c up.
func (c *client) staysAway() {
	c.e.counts.Reconnect.GivenUp++
	c.state = ended
	c.settle()
}

// listensSince is since when c must get what is published.
func (c *client) listensSince() time.Duration {
	if a := c.e.absent.absences[c.index]; a != nil {
		return a.listened
	}
	return c.since
}

// gapsOf returns the times for which c was away.
func (e *Engine) gapsOf(c *client) []span {
	gaps := e.listening.gaps[c.index]
	if a := e.absent.absences[c.index]; a != nil {
		gaps = append(gaps, span{a.cut, forever})
	}
	return gaps
}
