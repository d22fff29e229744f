//go:build linux

package engine

import (
	"math"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/pace"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// echoing is what the requests of one phase have in common.
type echoing struct {
	message *message.Echo
	kind    frame.Opcode
	next    uint64 // number of the next request of this worker, in all phases
	pace    *report.Pace
	begun   time.Duration // the phase's schedule, since Engine.base
}

// exchange is the echo request that a client has out. Idle clients have none.
type exchange struct {
	number         uint64
	intended, sent time.Duration // since Engine.base
	// backlog holds the intended times of requests that wait for the answer to
	// this one: the schedule does not wait with them.
	backlog []time.Duration
}

func (e *Engine) beginEcho(phase int, a scenario.Echo, at time.Time) {
	var err error
	if e.echoing.message, err = message.NewEcho(e.cfg.Run, e.cfg.Seed, a.Size, a.Templates(), a.Reply); err != nil {
		panic("engine: the leader sent a wrong template: " + err.Error()) // it was validated
	}
	e.echoing.kind = frame.Text
	if a.Binary {
		e.echoing.kind = frame.Binary
	}
	clients := e.inState(open)
	if len(clients) == 0 {
		return
	}
	s := e.schedule(at, pace.Constant(a.Rate), a.Schedule, phase)
	s.Count, s.Until = a.Rounds*len(clients), a.For
	if a.For > 0 {
		s.Count = math.MaxInt
	}
	key := report.PaceKey(phase, "echo")
	e.echoing.pace, e.echoing.begun = e.counts.Paces.Of(key), at.Sub(e.base)
	e.run(key, s, func(k int, p pacing) {
		e.clients[clients[k%len(clients)]].request(p.intended)
	})
}

// request is the start of one echo request.
func (c *client) request(intended time.Duration) {
	counts := &c.e.counts.Echo
	switch {
	case c.state != open:
		counts.Skipped++
	case c.exchange != nil:
		counts.Sent++
		c.exchange.backlog = append(c.exchange.backlog, intended)
	default:
		counts.Sent++
		c.e.waiting++
		c.exchange = &exchange{}
		c.ask(intended)
	}
}

// ask sends the request that was meant to be sent at intended.
func (c *client) ask(intended time.Duration) {
	e, x := c.e, c.exchange
	x.number = e.echoing.next
	e.echoing.next++
	x.intended, x.sent = intended, e.now()
	e.echoing.pace.Sent = x.sent - e.echoing.begun
	c.SetTimer(max(0, intended+e.cfg.Timeout-x.sent))
	e.want = e.echoing.message.AppendRequest(e.want[:0], c.number(), x.number)
	c.send(e.echoing.kind, e.want)
}

// echoEnds counts the outcome of the request that is out, and sends the next one
// that waits, if any.
func (c *client) echoEnds(outcome *int64) {
	*outcome++
	e, x := c.e, c.exchange
	for len(x.backlog) > 0 {
		next := x.backlog[0]
		x.backlog = x.backlog[1:]
		if next+e.cfg.Timeout > e.now() {
			c.ask(next)
			return
		}
		e.counts.Echo.Timeout++ // its time is over before it could be sent
	}
	c.exchange = nil
	c.e.waiting--
	c.StopTimer()
}

// echoLost counts what was to be answered on a connection that is no more.
func (c *client) echoLost() {
	if c.exchange != nil {
		c.e.counts.Echo.Closed += 1 + int64(len(c.exchange.backlog))
		c.exchange = nil
		c.e.waiting--
	}
}

// reply judges what may be the answer to an echo request.
func (c *client) reply(op frame.Opcode, payload []byte) {
	e, x := c.e, c.exchange
	echo := e.echoing.message
	if x != nil {
		e.want = echo.AppendReply(e.want[:0], c.number(), x.number)
		if op == e.echoing.kind && string(payload) == string(e.want) {
			now := e.now()
			e.counts.EchoLatency.Record(now - x.intended)
			e.counts.EchoService.Record(now - x.sent)
			c.echoEnds(&e.counts.Echo.OK)
			return
		}
	}
	switch {
	case echo.Mentions(payload) && (x == nil || echo.Earlier(payload, c.number(), x.number)):
		e.counts.Echo.Unexpected++
		c.sample("echo.unexpected", payload)
	case x != nil && echo.Resembles(payload, e.want):
		c.echoEnds(&e.counts.Echo.Corrupted)
		c.sample("echo.corrupted", payload)
	default:
		e.counts.Foreign++
	}
}
