//go:build linux

package hub

import (
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// deliverBatch is how many deliveries a shard makes before its loop serves other
// connections again: at some 5 us each, 256 hold a loop for about a millisecond.
const deliverBatch = 256

// Shard is the part of a Hub that lives on one loop and is touched by it only.
type Shard struct {
	hub    *Hub
	loop   *netpoll.Loop
	topics map[string]*topic
	jobs   []job // being delivered, oldest first
}

// job is one published message on its way to the subscribers of a topic.
type job struct {
	topic     *topic
	message   *frame.Shared
	next, end int // subscribers still to be served
	published time.Time
}

// Member is a subscriber's part in the hub, embedded in it. The zero value listens
// to nothing.
type Member struct {
	first seat   // most members have one channel
	more  []seat // the others
}

// seat is one member's place among the subscribers of a topic.
type seat struct {
	topic *topic
	index int32
}

// topic is a channel that has subscribers here.
type topic struct {
	channel string
	subs    []subscription
	active  int // jobs under way; while there are any, subs only grows
	holes   int // places in subs whose member left meanwhile
}

type subscription struct {
	sub    Subscriber
	member *Member
}

// Subscribe lets sub, whose Member is m, listen to channel. Doing it twice changes
// nothing.
func (s *Shard) Subscribe(channel string, sub Subscriber, m *Member) {
	t := s.topics[channel]
	if t == nil {
		t = &topic{channel: channel}
		s.topics[channel] = t
		s.hub.joined(channel)
	}
	if m.seatAt(t) != nil {
		return
	}
	m.add(seat{t, int32(len(t.subs))})
	t.subs = append(t.subs, subscription{sub, m})
}

// Leave ends all subscriptions of m.
func (s *Shard) Leave(m *Member) {
	for _, st := range m.more {
		s.vacate(st)
	}
	if m.first.topic != nil {
		s.vacate(m.first)
	}
	*m = Member{}
}

// Channel returns the i-th channel that the member subscribed to, "" if there are
// not as many.
func (m *Member) Channel(i int) string {
	st := m.first
	if i > 0 {
		if i > len(m.more) {
			return ""
		}
		st = m.more[i-1]
	}
	if st.topic == nil {
		return ""
	}
	return st.topic.channel
}

// Channels returns how many channels have subscribers on this shard.
func (s *Shard) Channels() int { return len(s.topics) }

func (m *Member) add(st seat) {
	if m.first.topic == nil {
		m.first = st
	} else {
		m.more = append(m.more, st)
	}
}

func (m *Member) seatAt(t *topic) *seat {
	if m.first.topic == t {
		return &m.first
	}
	for i := range m.more {
		if m.more[i].topic == t {
			return &m.more[i]
		}
	}
	return nil
}

func (s *Shard) vacate(st seat) {
	t := st.topic
	t.subs[st.index] = subscription{}
	if t.active > 0 {
		t.holes++ // a delivery walks over subs: nobody may change places
		return
	}
	t.fill(int(st.index))
	s.dropIfEmpty(t)
}

// fill moves the last subscription into the empty place i.
func (t *topic) fill(i int) {
	last := len(t.subs) - 1
	if i != last {
		t.subs[i] = t.subs[last]
		t.subs[i].member.seatAt(t).index = int32(i)
	}
	t.subs[last] = subscription{}
	t.subs = t.subs[:last]
}

func (s *Shard) dropIfEmpty(t *topic) {
	if len(t.subs) == 0 {
		delete(s.topics, t.channel)
		s.hub.left(t.channel)
	} else if cap(t.subs) > 1024 && len(t.subs) < cap(t.subs)/4 {
		t.subs = append(make([]subscription, 0, cap(t.subs)/2), t.subs...)
	}
}

// publish starts a job. Jobs are done one after the other, so that the messages of a
// channel arrive in order.
func (s *Shard) publish(channel string, m *frame.Shared, published time.Time) {
	t := s.topics[channel]
	if t == nil {
		return
	}
	t.active++
	s.jobs = append(s.jobs, job{topic: t, message: m, end: len(t.subs), published: published})
	if len(s.jobs) == 1 {
		s.deliver()
	}
}

// deliver works on the oldest job for one batch and comes back for the rest after
// the loop has served its connections.
func (s *Shard) deliver() {
	budget := deliverBatch
	for len(s.jobs) > 0 {
		j := &s.jobs[0]
		for ; j.next < j.end; j.next++ {
			if budget == 0 {
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

func (s *Shard) finish(j *job) {
	if observe := s.hub.cfg.ObserveFanout; observe != nil {
		observe(time.Since(j.published))
	}
	t := j.topic
	t.active--
	if t.active > 0 || t.holes == 0 {
		return
	}
	for i := len(t.subs) - 1; i >= 0; i-- {
		if t.subs[i].sub == nil {
			t.fill(i)
		}
	}
	t.holes = 0
	s.dropIfEmpty(t)
}
