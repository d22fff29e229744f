//go:build linux

package hub

import (
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

// deliverBatch is how many deliveries a shard makes before its loop serves other
// connections again: at some 5 us each, 256 hold a loop for about a millisecond.
const deliverBatch = 256

// item is what the hub posts to a shard: a message, or the start of a topic.
type item struct {
	topic   *topic
	message *Message
	start   position.Position
}

// job is one message on its way to the subscribers of a topic, or something else to be
// done in its turn.
type job struct {
	topic     *topic // nil if it is about none
	message   *Message
	next, end int // subscribers still to be served
	do        func()
}

// post hands over an item. Called under the lock of the hub, so that all shards get
// them in the same order. A loop that has ended takes no more; the hub is closed then.
func (s *Shard) post(it item) {
	s.inMu.Lock()
	wake := len(s.inbox) == 0
	s.inbox = append(s.inbox, it)
	s.inMu.Unlock()
	if wake {
		s.loop.Post(s.take)
	}
}

func (s *Shard) takeInbox() {
	s.inMu.Lock()
	items := s.inbox
	s.inbox = s.spare
	s.inMu.Unlock()
	idle := len(s.jobs) == 0
	for i, it := range items {
		if it.message != nil {
			s.accept(it.topic, it.message)
		} else if !it.topic.dropped {
			s.started(it.topic, it.start)
		}
		items[i] = item{}
	}
	s.spare = items[:0]
	if idle && len(s.jobs) > 0 {
		s.deliver()
	}
}

// started makes p the place after which everything reaches t.
func (s *Shard) started(t *topic, p position.Position) {
	if since, number, subs := t.last, t.end(), len(t.subs); t.started {
		// Those who are there have all up to since when it is this job's turn.
		t.active++
		s.jobs = append(s.jobs, job{topic: t, do: func() { s.resumeAll(t.subs[:subs], since, number) }})
	}
	t.start(p)
	s.replay.started(t)
}

// accept makes a job of m. From here on it is in the tail: who joins later gets it
// from there, or has it already.
func (s *Shard) accept(t *topic, m *Message) {
	if t.dropped {
		s.delivered(m)
		return
	}
	if t.started {
		s.tails.keep(t, m)
	}
	if len(t.subs) == t.holes {
		s.delivered(m)
		return
	}
	t.active++
	s.jobs = append(s.jobs, job{topic: t, message: m, end: len(t.subs)})
}

// After calls f on the loop once everything that has been posted to it was delivered.
// Called on the loop.
func (s *Shard) After(f func()) {
	s.takeInbox()
	s.jobs = append(s.jobs, job{do: f})
	if len(s.jobs) == 1 {
		s.deliver()
	}
}

// deliver works on the oldest job for one batch and comes back for the rest after
// the loop has served its connections. Jobs are done one after the other, so that the
// messages of a channel arrive in order.
func (s *Shard) deliver() {
	budget := deliverBatch
	for len(s.jobs) > 0 {
		j := s.jobs[0]
		for ; j.next < j.end; j.next++ {
			if budget == 0 {
				s.jobs[0].next = j.next
				s.loop.Post(s.deliver)
				return
			}
			if sub := j.topic.subs[j.next].sub; sub != nil {
				sub.Deliver(j.message)
				budget--
			}
		}
		s.finish(j)
		s.jobs[0] = job{}
		s.jobs = s.jobs[1:]
	}
	s.jobs = nil
}

func (s *Shard) finish(j job) {
	if j.do != nil {
		j.do()
	}
	if j.message != nil {
		s.delivered(j.message)
		if observe := s.hub.cfg.ObserveFanout; observe != nil {
			observe(time.Since(j.message.published))
		}
	}
	t := j.topic
	if t == nil {
		return
	}
	t.active--
	if t.active > 0 {
		return
	}
	if t.holes > 0 {
		t.fillHoles()
	}
	s.dropIfUnused(t)
}

// delivered says that this shard is done with m.
func (s *Shard) delivered(m *Message) {
	if m.pending.Add(-1) == 0 {
		s.hub.underWay.leave(m.size())
	}
}
