//go:build linux

package engine

import (
	"math"
	"sort"
	"time"
)

// Published is what became of the broadcasts, as the leader knows it.
type Published struct {
	Sent   []int64  `json:"sent,omitempty"`   // Unix ns, of all that were tried, in order
	Failed []uint32 `json:"failed,omitempty"` // indices of those whose publishing failed: nobody is required to have got them
}

// published is one channel's part of Published, by sequence number.
type published struct {
	sent   []time.Duration // since Engine.base
	failed []uint32
}

func (e *Engine) byChannel(p Published) []published {
	channels := make([]published, e.cfg.Channels)
	for i, sent := range p.Sent {
		c := &channels[i%len(channels)]
		c.sent = append(c.sent, time.Duration(sent-e.base.UnixNano())+e.cfg.ClockAhead)
	}
	for _, i := range p.Failed {
		c := &channels[int(i)%len(channels)]
		c.failed = append(c.failed, i/uint32(len(channels)))
	}
	return channels
}

// within returns the sequence numbers [low, high) that were sent in s.
func (p *published) within(s span) (low, high uint32) {
	at := func(t time.Duration) uint32 {
		return uint32(sort.Search(len(p.sent), func(i int) bool { return p.sent[i] >= t }))
	}
	low, high = at(s.from), at(s.to)
	return low, max(low, high)
}

// missed returns how many of those sent in s did not come, and how many were to.
func (p *published) missed(s span, got *seen) (missed, expected int64) {
	low, high := p.within(s)
	expected = int64(high - low)
	missed = expected - got.countIn(low, high)
	for _, n := range p.failed {
		if n >= low && n < high {
			expected--
			if !got.has(n) {
				missed--
			}
		}
	}
	return missed, expected
}

// within returns the part of s that is in other.
func (s span) within(other span) span { return span{max(s.from, other.from), min(s.to, other.to)} }

// blameless widens the times for which a client was away by those in which it is
// nobody's fault if a broadcast does not reach it, and makes one of those that overlap.
func (e *Engine) blameless(away []span) (wide []span) {
	for _, gap := range away {
		gap.from -= e.listening.late
		if gap.to < forever {
			gap.to += arrival
		}
		if n := len(wide); n > 0 && gap.from <= wide[n-1].to {
			wide[n-1].to = gap.to
			continue
		}
		wide = append(wide, gap)
	}
	return wide
}

const forever = time.Duration(math.MaxInt64)

// tally works out what each listener missed.
func (e *Engine) tally(p Published) {
	if e.cfg.Channels == 0 {
		return
	}
	channels := e.byChannel(p)
	b := &e.counts.Broadcast
	b.Delivered = 0 // counted as they came until now, those of failed ones too
	one := func(got *seen, channel int, listened span, away []span, isAffected, isLost bool) (lost int64) {
		of := &channels[channel]
		var expected int64
		lost, expected = of.missed(listened, got)
		b.Expected += expected
		b.Delivered += expected - lost
		b.Lost += lost
		if isLost {
			b.LostClosed += lost
		}
		for _, gap := range away {
			missed, due := of.missed(gap.within(listened), got)
			b.Recovered += due - missed
		}
		for _, gap := range e.blameless(away) {
			missed, _ := of.missed(gap.within(listened), got)
			b.MissedAway += missed
		}
		if lost > 0 || isAffected {
			b.Affected++
		}
		unconfirmed := int64(0)
		for _, n := range of.failed {
			if got.has(n) {
				unconfirmed++
			}
		}
		b.Unconfirmed += unconfirmed
		b.Unrequired += got.count() - unconfirmed - (expected - lost)
		return lost
	}
	for i := range e.clients {
		if c := &e.clients[i]; c.flags&listener != 0 {
			listened := span{c.listensSince(), forever}
			if one(&c.seen, c.channel(), listened, e.gapsOf(c), c.flags&affected != 0, c.flags&lostPeer != 0) > 0 {
				c.sampleLost(&channels[c.channel()], listened)
			}
		}
	}
	for i := range e.listening.departed {
		d := &e.listening.departed[i]
		one(&d.seen, d.channel, d.listened, nil, d.affected, false)
	}
}
