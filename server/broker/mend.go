package broker

import "github.com/wsfleet/wsfleet/server/position"

// take follows what history had for a stream.
func (q *sequencer) take(f fetched) {
	s := f.stream
	if q.streams[s.channel] != s {
		return
	}
	s.cancel()
	s.broken = s.broken || f.page.old
	s.connection = 0 // what waits may be older than what comes now
	for _, m := range f.page.messages {
		if s.has(m.header) {
			continue
		}
		if !m.follows(s.last) {
			q.lose(s, m.missing(s.last))
		}
		q.stats.Recovered.Add(1)
		q.deliver(s, m.header, m.payload)
	}
	if f.page.more {
		q.fetch(s)
		return
	}
	q.finish(s, f.page.anchor)
}

// finish goes on with what came while the history was read, which ended at anchor.
func (q *sequencer) finish(s *stream, anchor header) {
	switch {
	case anchor.IsZero(): // the server knows nothing of the channel
		q.lose(s, LostUnknown)
		s.last = position.Position{}
	case !s.has(anchor):
		q.loseUntil(s, anchor)
	case !s.broken:
		q.stats.Gaps.Recovered.Add(1)
	}
	s.fetching, s.broken = false, false
	q.fetching--
	q.replay(s)
}

// replay handles what was held back.
func (q *sequencer) replay(s *stream) {
	held, overflow := s.held, s.overflow
	q.held -= s.heldBytes
	s.held, s.heldBytes, s.overflow = nil, 0, false
	for i := range held {
		q.step(s, &held[i])
	}
	switch {
	case !overflow:
	case s.fetching || s.awaiting:
		s.overflow = true
	case q.canFetch(s):
		q.fetch(s)
	default:
		q.lose(s, LostUnknown)
	}
}
