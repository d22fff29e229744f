package broker

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

const (
	// fetchers is how many pages of history are read at once.
	fetchers = 8
	// pageMessages and pageBytes bound a page.
	pageMessages = 1000
	pageBytes    = 1 << 20
)

// page is a piece of history, oldest first.
type page struct {
	messages []stored
	more     bool   // there are others after it
	old      bool   // something before it, after the position asked for, is gone
	anchor   header // the newest position there was, zero if there was none
}

type stored struct {
	header
	payload []byte
}

// reader returns what came on a channel after since, at most limit messages. If that is
// gone in part, it returns the rest, and says so.
type reader func(ctx context.Context, channel string, since position.Position, limit int) (page, error)

// sequencer makes of what links read, which may come twice or with gaps, what a Receiver
// is promised. One goroutine does that; it waits for the receiver, never for the server.
type sequencer struct {
	intake   *intake
	stats    *Stats
	history  reader // nil if none is kept
	receiver Receiver

	// What follows is owned by run.
	ctx      context.Context
	streams  map[string]*stream
	held     int64 // bytes held back in all streams
	fetching int   // streams whose history is being read
	pages    chan fetched
	slots    chan struct{}
	wg       sync.WaitGroup
}

// fetched is what history had for a stream.
type fetched struct {
	stream *stream
	page   page
}

func newSequencer(in *intake, stats *Stats, history reader) *sequencer {
	return &sequencer{
		intake: in, stats: stats, history: history, streams: make(map[string]*stream),
		pages: make(chan fetched), slots: make(chan struct{}, fetchers),
	}
}

// run hands to receiver what comes, until ctx is done.
func (q *sequencer) run(ctx context.Context, receiver Receiver) {
	ctx, cancel := context.WithCancel(ctx)
	defer q.wg.Wait()
	defer cancel()
	q.ctx, q.receiver = ctx, receiver
	var events []event
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-q.pages:
			q.take(f)
		case <-q.intake.ready:
			events = q.intake.take(events)
			for i := range events {
				if ctx.Err() != nil {
					return
				}
				q.handle(&events[i])
				q.intake.done(&events[i])
				q.pollPages()
			}
		}
		q.stats.oldest.Store(0)
	}
}

// pollPages takes the history that has arrived, so that a long row of events does not
// keep its readers waiting.
func (q *sequencer) pollPages() {
	if q.fetching == 0 {
		return
	}
	select {
	case f := <-q.pages:
		q.take(f)
	default:
	}
}

// handle follows one event.
func (q *sequencer) handle(e *event) {
	switch e.kind {
	case eventSubscribe:
		q.forget(e.channel)
		q.streams[e.channel] = &stream{channel: e.channel, number: e.number, awaiting: true}
	case eventUnsubscribe:
		q.forget(e.channel)
	case eventAnchors:
		for _, a := range e.anchors {
			if s := q.streams[a.channel]; s != nil && s.number == a.number {
				q.step(s, &event{kind: eventAnchors, connection: e.connection, anchors: []anchor{a}, at: e.at})
			}
		}
	case eventMessage, eventDropped:
		if s := q.streams[e.channel]; s != nil {
			q.step(s, e)
		}
	}
}

// forget ends the stream of a channel.
func (q *sequencer) forget(channel string) {
	s := q.streams[channel]
	if s == nil {
		return
	}
	delete(q.streams, channel)
	q.held -= s.heldBytes
	if s.fetching {
		q.fetching--
		s.cancel()
	}
}

// step follows an event of one stream, or holds it back until it is known what is missing
// before it.
func (q *sequencer) step(s *stream, e *event) {
	switch {
	case s.fetching, s.awaiting && e.kind != eventAnchors:
		q.hold(s, e)
	case e.kind == eventMessage:
		q.message(s, e)
	case e.kind == eventDropped:
		q.dropped(s, e)
	default:
		q.anchor(s, e.anchors[0].header, e.connection)
	}
}

// hold keeps an event for replay. What finds no room will be in the history by then, or is
// lost.
func (q *sequencer) hold(s *stream, e *event) {
	cost := e.cost()
	if q.held+cost > q.intake.limit/2 {
		s.overflow = true
		return
	}
	s.held = append(s.held, *e)
	s.heldBytes += cost
	q.held += cost
}

// fetch reads what the history of s has after its last message.
func (q *sequencer) fetch(s *stream) {
	if !s.fetching {
		s.fetching = true
		q.fetching++
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(q.ctx)
	since := s.last
	q.wg.Go(func() {
		for backoff := backoffMin; ; backoff = min(2*backoff, backoffMax) {
			if q.fetchOnce(ctx, s, since) {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(backoff/2 + rand.N(backoff/2)):
			}
		}
	})
}

// fetchOnce reports whether there is nothing left to try. It holds its slot until the
// page has been taken: that bounds what waits.
func (q *sequencer) fetchOnce(ctx context.Context, s *stream, since position.Position) bool {
	select {
	case <-ctx.Done():
		return true
	case q.slots <- struct{}{}:
	}
	defer func() { <-q.slots }()
	p, err := q.history(ctx, s.channel, since, pageMessages)
	if err != nil {
		return false
	}
	select {
	case <-ctx.Done():
	case q.pages <- fetched{s, p}:
	}
	return true
}
