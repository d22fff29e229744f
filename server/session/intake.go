//go:build linux

package session

import (
	"time"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

const (
	// unclaimed is how much of a message that is not whole any session may hold
	// without asking, in bytes. While sessions wait for room it also bounds what is
	// read at once, so that small messages go through and large ones stay with the
	// kernel, whose window then holds the sender back.
	unclaimed = 2 << 10
	// intakeStall is for how long nothing may move before the session that has waited
	// longest gets room beyond the budget: senders who stop in mid-message must not
	// hold up all others for good.
	intakeStall = time.Second
)

// intake bounds the memory of a shard's messages that are not whole yet. Every
// connection may be in the middle of one: without a bound, 100,000 connections at a
// read limit of 1 MiB may hold 100 GB.
type intake struct {
	budget  int           // bytes; 0 is no bound
	claimed int           // bytes
	waiting []*Session    // oldest first; those that have left in the meantime wait no more
	stall   time.Duration // intakeStall
	moved   time.Duration // when something was last claimed or returned, on the loop's clock
}

// claim makes sure that there is room for what s is receiving, or lets s wait: its peer
// is read no further until there is.
func (s *Session) claim() {
	p, in := s.partial, &s.shard.intake
	if in.budget == 0 || s.Closed() || p != nil && p.waits {
		return
	}
	want := 0
	if p != nil && s.state == open {
		want = p.room()
	}
	switch {
	case p == nil || want <= p.claimed || in.fits(want-p.claimed):
		s.settle(want)
	default:
		s.await()
	}
}

// room is what the message will take once it is whole, 0 if that need not be asked for.
func (p *partial) room() int {
	n := len(p.msg)
	if h, size, err := frame.Parse(p.buf); err == nil && size > 0 && !h.Opcode.IsControl() {
		n += size + int(h.Length)
	}
	if n <= unclaimed {
		return 0
	}
	return n
}

func (in *intake) fits(more int) bool {
	return in.claimed == 0 || in.claimed+more <= in.budget
}

// settle makes want what s has claimed, and lets others have what is left.
func (s *Session) settle(want int) {
	sh, in := s.shard, &s.shard.intake
	if s.partial == nil || s.partial.claimed == want {
		return
	}
	more := want - s.partial.claimed
	s.partial.claimed = want
	in.claimed += more
	in.moved = sh.loop.Now()
	s.ReadFreely(want > 0)
	sh.stats.Receiving.Store(int64(in.claimed))
	if more < 0 {
		sh.admitWaiting()
	}
}

// unclaim returns all that s has claimed, at the end of its message or of itself.
func (s *Session) unclaim() {
	if s.partial == nil {
		return
	}
	if s.partial.waits {
		s.proceed()
	}
	s.settle(0)
}

// await stops reading from the peer until there is room.
func (s *Session) await() {
	sh, in := s.shard, &s.shard.intake
	s.partial.waits = true
	in.waiting = append(in.waiting, s)
	sh.stats.Waiting.Add(1)
	sh.loop.LimitReads(unclaimed)
	s.PauseReading()
	s.SetTimer(intakeStall)
}

// proceed ends the wait.
func (s *Session) proceed() {
	s.partial.waits = false
	s.shard.stats.Waiting.Add(-1)
	s.heard = s.ticks() // its silence was ours
	s.ResumeReading()
	s.setHeartbeat(s.shard.srv.cfg.HeartbeatInterval)
}

// admitWaiting gives room to those that wait, in turn.
func (sh *Shard) admitWaiting() {
	in := &sh.intake
	for len(in.waiting) > 0 {
		s := in.waiting[0]
		if p := s.partial; p != nil && p.waits {
			want := p.room()
			if !in.fits(want - p.claimed) {
				return
			}
			s.proceed()
			s.settle(want)
		}
		in.waiting[0] = nil
		in.waiting = in.waiting[1:]
	}
	in.waiting = nil
	sh.loop.LimitReads(0)
}

// stillWaiting is called from time to time while s waits. It reports whether it does
// still.
func (s *Session) stillWaiting() bool {
	sh, in := s.shard, &s.shard.intake
	if s.partial == nil || !s.partial.waits {
		return false
	}
	if sh.loop.Now()-in.moved >= in.stall {
		sh.overdraw()
	}
	if s.partial.waits {
		s.SetTimer(intakeStall)
	}
	return true
}

// overdraw lets the one that has waited longest go on, whatever the budget.
func (sh *Shard) overdraw() {
	in := &sh.intake
	for len(in.waiting) > 0 {
		s := in.waiting[0]
		in.waiting[0] = nil
		in.waiting = in.waiting[1:]
		if p := s.partial; p != nil && p.waits {
			s.proceed()
			s.settle(p.room())
			break
		}
	}
	sh.admitWaiting()
}
