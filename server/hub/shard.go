//go:build linux

package hub

import (
	"sync"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/position"
)

// Shard is the part of a Hub that lives on one loop and, but for its inbox, is touched
// by it only.
type Shard struct {
	hub    *Hub
	loop   *netpoll.Loop
	topics map[string]*topic
	jobs   []job // being delivered, oldest first
	tails  tails
	replay replay

	inMu  sync.Mutex // guards inbox
	inbox []item     // posted and not yet taken, oldest first
	spare []item     // the slice of inbox that is not being filled
	take  func()     // takeInbox
}

// topic is a channel that this shard has subscribers to.
type topic struct {
	shard    *Shard
	channel  string
	common   *channel
	subs     []subscription
	catching map[*Member]*catchUp // those that are not in subs yet; nil unless there were any
	active   int                  // jobs under way; while there are any, subs only grows
	holes    int                  // places in subs whose member left meanwhile
	pinned   bool                 // stays without subscribers
	dropped  bool                 // what is still on its way to it comes too late
	started  bool                 // tail is valid
	tail
}

type subscription struct {
	sub     Subscriber
	seat    int32 // its number among those of the member
	resumer bool  // came by Resume
}

func newShard(h *Hub, loop *netpoll.Loop) *Shard {
	s := &Shard{hub: h, loop: loop, topics: make(map[string]*topic)}
	s.tails = tails{cfg: h.cfg.Tail, total: &h.stats.TailBytes}
	s.replay.init(s)
	s.take = s.takeInbox
	return s
}

// Channels returns how many channels this shard has.
func (s *Shard) Channels() int { return len(s.topics) }

// Subscribe lets sub listen to channel. Doing it twice changes nothing.
func (s *Shard) Subscribe(channel string, sub Subscriber) {
	t := s.topicOf(channel)
	if _, has := sub.member().find(t); !has {
		t.seat(sub)
	}
}

func (s *Shard) topicOf(channel string) *topic {
	if t := s.topics[channel]; t != nil {
		return t
	}
	return s.addTopic(channel)
}

func (s *Shard) addTopic(channel string) *topic {
	t := &topic{shard: s, channel: channel}
	s.topics[channel] = t
	s.hub.joined(t)
	return t
}

// start makes p the place after which everything reaches t.
func (t *topic) start(p position.Position) {
	t.shard.tails.forget(t)
	t.first++ // who stood at the end of the tail is not at the start of the new one
	t.started, t.base, t.last = true, p, p
}

// seat puts sub, who has no seat here, among those who get what comes.
func (t *topic) seat(sub Subscriber) {
	n := sub.member().add(seat{t, int32(len(t.subs))})
	t.common.members.Add(1)
	t.subs = append(t.subs, subscription{sub: sub, seat: n})
}

// Unsubscribe ends the subscription of m to channel. It reports whether there was one.
func (s *Shard) Unsubscribe(channel string, m *Member) bool {
	n, has := m.find(s.topics[channel])
	if !has {
		return false
	}
	st := *m.at(n)
	m.remove(n)
	s.vacate(st, m)
	return true
}

// Leave ends all subscriptions of m.
func (s *Shard) Leave(m *Member) {
	for n := range int32(m.Channels()) {
		s.vacate(*m.at(n), m)
	}
	s.replay.forget(m)
	*m = Member{}
}

// vacate empties the place that the seat of m stood for.
func (s *Shard) vacate(st seat, m *Member) {
	t := st.topic
	t.common.members.Add(-1)
	if st.index == catchingUp {
		t.endCatchUp(m).gone = true
	} else {
		t.empty(st.index)
	}
	s.dropIfUnused(t)
}

// empty takes a subscription out.
func (t *topic) empty(index int32) {
	t.subs[index] = subscription{}
	if t.active > 0 {
		t.holes++ // a delivery walks over subs: nobody may change places
		return
	}
	t.fill(int(index))
	t.shrink()
}

// fill moves the last subscription into the empty place i.
func (t *topic) fill(i int) {
	last := len(t.subs) - 1
	if i != last {
		t.subs[i] = t.subs[last]
		t.subs[i].sub.member().at(t.subs[i].seat).index = int32(i)
	}
	t.subs[last] = subscription{}
	t.subs = t.subs[:last]
}

// fillHoles is the end of the last job of t.
func (t *topic) fillHoles() {
	for i := len(t.subs) - 1; i >= 0 && t.holes > 0; i-- {
		if t.subs[i].sub == nil {
			t.fill(i)
			t.holes--
		}
	}
	t.shrink()
}

func (t *topic) shrink() {
	if cap(t.subs) > 1024 && len(t.subs) < cap(t.subs)/4 {
		t.subs = append(make([]subscription, 0, cap(t.subs)/2), t.subs...)
	}
}

func (s *Shard) dropIfUnused(t *topic) {
	if len(t.subs) > 0 || len(t.catching) > 0 || t.active > 0 || t.pinned || t.dropped {
		return
	}
	t.dropped = true
	s.tails.forget(t)
	delete(s.topics, t.channel)
	s.hub.left(t)
}
