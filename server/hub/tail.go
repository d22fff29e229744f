//go:build linux

package hub

import (
	"sync/atomic"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

// Tail bounds what a shard remembers.
type Tail struct {
	Length int           // messages of each channel; 0 remembers nothing
	Bytes  int           // of all channels; the oldest messages go first
	Age    time.Duration // older ones are gone; 0 for no such bound
}

// tail is the last messages of a topic, in the order of delivery.
type tail struct {
	base     position.Position // messages begins after it
	last     position.Position // of the newest that has one
	first    uint64            // number of messages[0], counted from the topic's start
	messages []*Message
}

// end is the number of the next message.
func (t *tail) end() uint64 { return t.first + uint64(len(t.messages)) }

// after returns the number of the message that follows on p, if it is or will be here.
func (t *tail) after(p position.Position) (number uint64, ok bool) {
	if p == t.base {
		return t.first, true
	}
	i, ok := t.index(p)
	return t.first + uint64(i) + 1, ok
}

// index finds the message with this position.
func (t *tail) index(p position.Position) (i int, ok bool) {
	// Nearly always the offsets have no gap, and every message has one.
	if i = len(t.messages) - 1 - int(t.last.Offset-p.Offset); i >= 0 && i < len(t.messages) && t.messages[i].Position == p {
		return i, true
	}
	for i = len(t.messages) - 1; i >= 0; i-- {
		if t.messages[i].Position == p {
			return i, true
		}
	}
	return 0, false
}

// before returns the position that the message of that number follows on.
func (t *tail) before(number uint64) position.Position {
	for ; number > t.first; number-- {
		if p := t.messages[number-1-t.first].Position; !p.IsZero() {
			return p
		}
	}
	return t.base
}

// drop takes the oldest message out.
func (t *tail) drop() *Message {
	m := t.messages[0]
	t.messages[0] = nil
	t.messages = t.messages[1:]
	t.first++
	if !m.Position.IsZero() {
		t.base = m.Position
	}
	return m
}

// tails are those of a shard.
type tails struct {
	cfg   Tail
	total *atomic.Int64 // bytes of all shards
	bytes int
	kept  int        // messages
	order []tailMark // of all topics, oldest first; some have been dropped meanwhile
}

type tailMark struct {
	topic  *topic
	number uint64
}

// keep appends m to the tail of t.
func (ts *tails) keep(t *topic, m *Message) {
	if !m.Position.IsZero() {
		t.last = m.Position
	}
	if ts.cfg.Length == 0 {
		t.first++
		t.base = t.last
		return
	}
	ts.order = append(ts.order, tailMark{t, t.end()})
	t.messages = append(t.messages, m)
	ts.count(1, m.size())
	for len(t.messages) > ts.cfg.Length {
		ts.drop(t)
	}
	ts.expire(t, m.published)
	for ts.bytes > ts.cfg.Bytes {
		ts.dropOldest()
	}
	if len(ts.order) > 2*ts.kept+64 {
		ts.compact()
	}
}

// expire drops what is too old by now.
func (ts *tails) expire(t *topic, now time.Time) {
	for ts.cfg.Age > 0 && len(t.messages) > 0 && now.Sub(t.messages[0].published) > ts.cfg.Age {
		ts.drop(t)
	}
}

// forget drops the whole tail of t.
func (ts *tails) forget(t *topic) {
	for len(t.messages) > 0 {
		ts.drop(t)
	}
	t.messages = nil
}

func (ts *tails) drop(t *topic) { ts.count(-1, -t.drop().size()) }

func (ts *tails) dropOldest() {
	mark := ts.order[0]
	ts.order = ts.order[1:]
	if mark.number == mark.topic.first && len(mark.topic.messages) > 0 {
		ts.drop(mark.topic)
	}
}

// compact leaves only the marks of messages that are still there.
func (ts *tails) compact() {
	left := make([]tailMark, 0, ts.kept)
	for _, mark := range ts.order {
		if mark.number >= mark.topic.first {
			left = append(left, mark)
		}
	}
	ts.order = left
}

func (ts *tails) count(messages, bytes int) {
	ts.kept += messages
	ts.bytes += bytes
	ts.total.Add(int64(bytes))
}
