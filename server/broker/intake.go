package broker

import (
	"bytes"
	"sync"
	"time"
)

// eventCost is what a waiting message takes beside its payload, in bytes.
const eventCost = 200

// intake stands between those who read from a server, and never wait, and the sequencer,
// which waits for the receiver. Messages that find no room are dropped; in their place
// stands an event that says so.
type intake struct {
	limit int64
	stats *Stats
	ready chan struct{} // holds one token when there are events

	mu     sync.Mutex // guards the following
	events []event
	// dropped holds the index of the event that speaks of a channel's dropped messages,
	// while it is the last one of that channel in events.
	dropped map[string]int
}

func newIntake(limit int64, stats *Stats) *intake {
	return &intake{limit: limit, stats: stats, ready: make(chan struct{}, 1), dropped: make(map[string]int)}
}

// message puts in one that came from the server. A message larger than the limit finds
// room when nothing else waits.
func (q *intake) message(connection uint64, channel string, payload []byte) {
	q.stats.Received.Add(1)
	e := event{connection: connection, channel: channel, payload: payload, at: time.Now().UnixNano()}
	cost := e.cost()
	if waiting := q.stats.Waiting.Add(cost); waiting > q.limit && waiting != cost {
		q.stats.Waiting.Add(-cost)
		q.drop(e)
		return
	}
	q.mu.Lock()
	if len(q.dropped) > 0 {
		delete(q.dropped, channel)
	}
	q.put(e)
}

// drop notes that a message is missing.
func (q *intake) drop(e event) {
	q.stats.Dropped.Add(1)
	e.kind = eventDropped
	if !bytes.HasPrefix(e.payload, []byte(magic)) {
		e.payload, e.raw = nil, 1
	} else if head, _, found := bytes.Cut(e.payload, []byte("\n")); found {
		e.payload = bytes.Clone(e.payload[:len(head)+1]) // frees the rest
	}
	q.mu.Lock()
	if i, ok := q.dropped[e.channel]; ok {
		defer q.mu.Unlock()
		last := &q.events[i]
		last.raw += e.raw
		if e.payload != nil {
			last.payload, last.connection = e.payload, e.connection
		}
		return
	}
	q.dropped[e.channel] = len(q.events)
	q.put(e)
}

// control puts in an event that is never dropped. There are few of them for each channel.
func (q *intake) control(e event) {
	e.at = time.Now().UnixNano()
	q.mu.Lock()
	delete(q.dropped, e.channel)
	if e.kind == eventAnchors {
		clear(q.dropped)
	}
	q.put(e)
}

// put appends e and unlocks mu.
func (q *intake) put(e event) {
	q.events = append(q.events, e)
	first := len(q.events) == 1
	q.mu.Unlock()
	if first {
		select {
		case q.ready <- struct{}{}:
		default:
		}
	}
}

// take returns all that waits, and keeps the memory of spent for what comes next.
func (q *intake) take(spent []event) []event {
	clear(spent)
	q.mu.Lock()
	defer q.mu.Unlock()
	events := q.events
	q.events = spent[:0]
	clear(q.dropped)
	return events
}

// done gives back the room of an event that was taken.
func (q *intake) done(e *event) {
	if e.kind == eventMessage {
		q.stats.Waiting.Add(-e.cost())
	}
}

func (e *event) cost() int64 { return int64(len(e.payload)) + eventCost }
