//go:build linux

package engine

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// listening is about the broadcasts that clients must get.
type listening struct {
	on   bool          // whoever connects listens
	late time.Duration // a delivery that takes longer is late
	// departed are the clients that churn has replaced, gaps the times for which
	// a client was away, to come back as itself, by its index.
	departed []departed
	gaps     map[uint32][]span
}

// departed is a listener that is no more.
type departed struct {
	seen     seen
	channel  int
	listened span
	affected bool
}

// span is a stretch of time since Engine.base.
type span struct{ from, to time.Duration }

// arrival is how long after a client has connected it is nobody's fault if a
// broadcast does not reach it: on its way through nodes and broker, it meets the
// subscription or does not. Before a client leaves, that time is the one after which
// a delivery is late: until then nobody can say that it does not come.
const arrival = time.Second

// Listen makes every open connection one that must get all broadcasts, and those
// that churn brings from now on too. A delivery that takes longer than late is
// late.
func (e *Engine) Listen(late time.Duration) {
	e.loop.Post(func() {
		e.listening.on, e.listening.late = true, late
		for i := range e.clients {
			if c := &e.clients[i]; c.state == open && c.flags&listener == 0 {
				c.listen(e.now())
			}
		}
	})
}

func (c *client) listen(from time.Duration) {
	c.flags |= listener
	c.since = from
	c.e.counts.Broadcast.Listeners++
}

// channel is the one that c listens to, when there are several.
func (c *client) channel() int { return int(c.number() % uint64(c.e.cfg.Channels)) }

// broadcast takes a broadcast of this run.
func (c *client) broadcast(b message.Received) {
	e := c.e
	counts := &e.counts.Broadcast
	if e.cfg.Channels > 1 {
		e.want = message.AppendChannel(e.want[:0], e.cfg.Run, c.channel())
		if string(b.Channel) != string(e.want) {
			counts.Misrouted++
			c.sample("broadcast.misrouted", b.Channel)
			return
		}
	}
	if c.state == leaving && c.flags&replaced != 0 {
		counts.Unrequired++ // to the client that is on its way out
		return
	}
	if int(b.Sequence) >= share(e.cfg.Broadcasts, c.channel(), e.cfg.Channels) || c.flags&listener == 0 {
		counts.Corrupted++ // sound, but never published to this connection
		return
	}
	latency := time.Duration(time.Now().UnixNano()-b.Sent) - e.cfg.ClockAhead
	if latency < 0 {
		counts.AheadOfTime++
	}
	first, behind := c.seen.add(b.Sequence)
	if !first {
		counts.Duplicated++
		c.flags |= affected
		c.sampleBroadcast("duplicated", b.Sequence)
		return
	}
	counts.Delivered++
	if c.flags&stalled == 0 { // else the time is the client's own
		e.counts.BroadcastLatency.Record(latency)
		if latency > e.listening.late {
			counts.Late++
		}
	}
	if behind {
		counts.Reordered++
		c.flags |= affected
		c.sampleBroadcast("reordered", b.Sequence)
	}
}

// share is how many of n things that are dealt out in turn to m hands the i-th
// one gets.
func share(n, i, m int) int { return (n - i + m - 1) / m }
