package broker

import (
	"context"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/server/position"
)

// stream is what the sequencer knows of a channel. It belongs to its goroutine.
type stream struct {
	channel string
	number  uint64 // of the subscription
	started bool
	last    position.Position // up to here everything has been delivered, or is in lost; zero if nobody knows
	older   []string          // epochs that ended before that of last, as they were met here, oldest first
	// connection is that over which everything came since last, without a break: what
	// comes next over it is the next, even where no header proves it.
	connection uint64
	lost       int64 // what the next message has to tell
	// newest is where the server was when it was last asked, and verified the connection
	// over which the answer came.
	newest   header
	verified uint64

	fetching  bool
	broken    bool // a part of what is being fetched is gone
	awaiting  bool // what the server says it has: at first, and where nothing else tells what is missing
	cancel    context.CancelFunc
	held      []event // while fetching or awaiting
	heldBytes int64
	overflow  bool // something was not held
}

// has reports whether h is not after what s has had.
func (s *stream) has(h header) bool {
	return h.Epoch == s.last.Epoch && h.Offset <= s.last.Offset || slices.Contains(s.older, h.Epoch)
}

// olderMax is how many epochs back a message is known for one that came before. History that
// was read may be so far ahead of the messages that wait.
const olderMax = 32

// moveTo makes h the last of s. Epochs are kept once, not with each message.
func (s *stream) moveTo(h header) {
	if s.last.Epoch != h.Epoch {
		if s.last.Epoch != "" {
			s.older = append(s.older[max(0, len(s.older)-olderMax+1):], s.last.Epoch)
		}
		s.last.Epoch = strings.Clone(h.Epoch)
	}
	s.last.Offset = h.Offset
}

// message follows one that came from a server.
func (q *sequencer) message(s *stream, e *event) {
	q.stats.oldest.Store(e.at)
	h, payload, known, err := parseWire(e.payload)
	if !known || err != nil {
		q.hand(s, Message{Channel: s.channel, Payload: e.payload})
		return
	}
	if s.has(h) {
		q.stats.Duplicates.Add(1)
		return
	}
	if missing := s.missing(h, e.connection); missing != 0 {
		if q.canFetch(s) && !e.fetched {
			q.fetch(s)
			e.fetched = true
			q.hold(s, e)
			return
		}
		if missing == LostUnknown && s.verified < e.connection { // a later one than its own says as much
			s.awaiting = true
			q.hold(s, e)
			return
		}
		q.lose(s, missing)
	}
	s.connection = e.connection
	q.deliver(s, h, payload)
}

// dropped follows messages that found no room to wait in.
func (q *sequencer) dropped(s *stream, e *event) {
	if e.raw > 0 {
		q.lose(s, e.raw) // in no history
	}
	if h, _, known, err := parseWire(e.payload); known && err == nil {
		q.missed(s, h)
		s.connection = e.connection
	}
}

// anchor follows the news that the server is at h, and that all that came over the
// connection up to there has been handled.
func (q *sequencer) anchor(s *stream, h header, connection uint64) {
	s.newest, s.verified = h, connection
	if !s.started {
		q.start(s, h.Position, connection)
	}
	if s.awaiting {
		s.awaiting = false
		q.replay(s)
		if s.fetching || s.awaiting {
			return
		}
	}
	unbroken := s.connection == connection
	switch {
	case h.IsZero():
		if !unbroken {
			q.lose(s, LostUnknown)
		}
	case s.has(h):
	case unbroken && h.missing(s.last) == LostUnknown: // the server forgot the channel and began anew
		s.moveTo(h)
	default:
		q.missed(s, h)
	}
	s.connection = connection
}

// missed follows the news that there was a message with h, which is not here.
func (q *sequencer) missed(s *stream, h header) {
	switch {
	case s.has(h):
	case q.canFetch(s):
		q.fetch(s)
	default:
		q.loseUntil(s, h)
	}
}

// loseUntil gives up what is after the last message, up to and including h.
func (q *sequencer) loseUntil(s *stream, h header) {
	missing := h.missing(s.last)
	if missing != LostUnknown {
		missing++
	}
	q.lose(s, missing)
	s.moveTo(h)
}

// missing returns how many messages are missing between the last and h.
func (s *stream) missing(h header, connection uint64) int64 {
	if h.follows(s.last) || s.last.IsZero() {
		return 0
	}
	n := h.informed(s.newest).missing(s.last)
	if n == LostUnknown && s.connection == connection {
		return 0
	}
	return n
}

func (q *sequencer) canFetch(s *stream) bool { return q.history != nil && !s.last.IsZero() }

func (q *sequencer) start(s *stream, p position.Position, connection uint64) {
	s.started, s.connection = true, connection
	s.last = position.Position{Epoch: strings.Clone(p.Epoch), Offset: p.Offset}
	q.receiver.Start(s.channel, s.last)
	// What came before the answer, and is counted in it, is before the start.
	s.held = slices.DeleteFunc(s.held, func(e event) bool {
		h, _, known, err := parseWire(e.payload)
		if !known || err != nil || !s.has(h) {
			return false
		}
		s.heldBytes -= e.cost()
		q.held -= e.cost()
		return true
	})
}

// lose notes that n messages are missing, for good.
func (q *sequencer) lose(s *stream, n int64) {
	if n == LostUnknown {
		q.stats.Gaps.Unknown.Add(1)
		s.lost = LostUnknown
		return
	}
	q.stats.Gaps.Lost.Add(1)
	q.stats.Lost.Add(uint64(n))
	if s.lost != LostUnknown {
		s.lost += n
	}
}

// deliver hands over the message that is next.
func (q *sequencer) deliver(s *stream, h header, payload []byte) {
	s.moveTo(h)
	q.hand(s, Message{Channel: s.channel, Payload: payload, Position: s.last})
}

func (q *sequencer) hand(s *stream, m Message) {
	m.Lost, s.lost = s.lost, 0
	q.receiver.Deliver(m)
}
