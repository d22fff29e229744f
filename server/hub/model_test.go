//go:build linux

package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

// record is the plain model: all that was ever published on a channel, and how much
// of it history has lost.
type record struct {
	mu       sync.Mutex
	messages []*Message
	kept     int // messages[kept:] can still be fetched
	epoch    int
	offset   uint64
}

func (r *record) publish(channel string, newEpoch bool) *Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	if newEpoch {
		r.epoch++
		r.offset = r.offset * 2 / 3 // offsets are given out again
	}
	r.offset++
	p := position.Position{Epoch: fmt.Sprint("e", r.epoch), Offset: r.offset}
	m := &Message{Channel: channel, Position: p, Payload: []byte(p.String())}
	r.messages = append(r.messages, m)
	r.kept = max(r.kept, len(r.messages)-keptMessages)
	return m
}

// keptMessages is the length of history.
const keptMessages = 150

// newest is after the last message.
func (r *record) newest() position.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) == 0 {
		return begin
	}
	return r.messages[len(r.messages)-1].Position
}

var begin = position.Position{Epoch: "e0"}

// after returns the index of the message that follows on p.
func (r *record) after(p position.Position) (int, bool) {
	if p == begin {
		return 0, true
	}
	i := slices.IndexFunc(r.messages, func(m *Message) bool { return m.Position == p })
	return i + 1, i >= 0
}

// page is a Backfill that is slow, fails, and returns little at a time.
func (r *record) page(ctx context.Context, channel string, since, until position.Position) (Page, error) {
	select {
	case <-ctx.Done():
		return Page{}, ctx.Err()
	case <-time.After(rand.N(2 * time.Millisecond)):
	}
	if rand.N(5) == 0 {
		return Page{}, errors.New("history is away")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	from, ok := r.after(since)
	if !ok || from < r.kept {
		return Page{TooOld: fmt.Errorf("%s begins after %s", channel, since)}, nil
	}
	to, ok := r.after(until)
	if !ok {
		return Page{}, errors.New("until is unknown")
	}
	end := min(to, from+1+rand.N(6))
	var page Page
	for _, m := range r.messages[from:end] {
		page.Messages = append(page.Messages, &Message{Channel: channel, Position: m.Position, Payload: m.Payload})
	}
	page.More = end < to
	return page, nil
}

// visit is one subscription of a person, as it saw it.
type visit struct {
	channel string
	since   position.Position
	at      position.Position
	joins   int
	tooOld  []bool
	got     []*Message
	wrong   string
	over    bool
}

// person is a subscriber who is slow at times.
type person struct {
	Member
	shard  *Shard
	loop   int
	visits map[string]*visit
	past   []*visit
	full   bool
}

func (p *person) Room() bool {
	p.full = p.full || rand.N(8) == 0
	return !p.full
}

func (p *person) Deliver(m *Message) {
	v := p.visits[m.Channel]
	if rand.N(10) == 0 && p.shard.FallBehind(p, m) {
		p.full = true
		return
	}
	if v.joins == 0 {
		v.wrong = "delivered before it was told"
	}
	v.got = append(v.got, m)
}

func (p *person) Joined(channel string, at position.Position, err error) {
	v := p.visits[channel]
	v.joins++
	switch {
	case v.over:
		v.wrong = "told after it left"
	case err == nil && v.joins > 1:
		v.wrong = "told twice"
	case err == nil && !v.since.IsZero() && at != v.since:
		v.wrong = fmt.Sprintf("since %s became %s", v.since, at)
	}
	// A position that goes on from elsewhere is told once a refusal says so.
	v.tooOld = append(v.tooOld, err != nil)
	v.got = append(v.got, &Message{Position: at})
	v.at = at
}

// check holds what a visit saw against what was published. complete says that it must
// have all up to the newest; seen are the messages without a position that the person
// has had, in other visits too.
func (r *record) check(t *testing.T, v *visit, complete bool, seen map[string]bool) {
	t.Helper()
	require.Empty(t, v.wrong)
	next, joins := -1, 0
	for _, m := range v.got {
		switch {
		case m.Channel == "": // Joined
			i, ok := r.after(m.Position)
			require.True(t, ok, "told a position that never was: %s", m.Position)
			require.True(t, next <= i, "told to go back")
			next = i
			if v.tooOld[joins] {
				lost := v.since
				if joins > 0 || lost.IsZero() {
					lost = m.Position // checked by its order only
				}
				if i, known := r.after(lost); known && lost != m.Position {
					require.Less(t, i, len(r.messages)-keptMessages, "%s could have been resumed", lost)
				}
			}
			joins++
		case m.Position.IsZero():
			require.False(t, seen[string(m.Payload)], "twice")
			seen[string(m.Payload)] = true
		default:
			require.Equal(t, r.messages[next].Position, m.Position, "visit to %s since %q", v.channel, v.since)
			require.Zero(t, m.Lost)
			next++
		}
	}
	if complete {
		require.Equal(t, len(r.messages), next, "all up to the newest")
	}
}

// Random resumes, leaves and messages, on several loops, with a history that is slow,
// fails and forgets: who resumes gets exactly what follows, in order, each once, or is
// told that it is too old.
func TestResumeAgainstModel(t *testing.T) {
	for _, tail := range []Tail{{}, {Length: 10, Bytes: 1 << 20}, {Length: 100, Bytes: 20 * messageOverhead}} {
		t.Run(fmt.Sprintf("%d messages, %d bytes", tail.Length, tail.Bytes), func(t *testing.T) { resumeAgainstModel(t, tail) })
	}
}

func resumeAgainstModel(t *testing.T, tail Tail) {
	records := map[string]*record{"a": {}, "b": {}, "c": {}}
	starts := map[string]position.Position{} // that the hub has yet to be told
	n := newNode(t, 3, Config{
		Tail:   tail,
		Pinned: []string{"a"},
		First: func(c string) {
			// From here on everything published is given to the hub; what was
			// published before is the channel's history.
			starts[c] = records[c].newest()
		},
		Backfill: func(ctx context.Context, channel string, since, until position.Position) (Page, error) {
			return records[channel].page(ctx, channel, since, until)
		},
	})
	h := n.Hub
	start := func(c string) {
		if p, due := starts[c]; due {
			h.Start(c, p)
			delete(starts, c)
		}
	}
	rng := rand.New(rand.NewPCG(7, 8))
	channels := []string{"a", "b", "c"}
	people := make([]*person, 60)
	for i := range people {
		loop := i % len(n.loops)
		people[i] = &person{shard: n.shards[loop], loop: loop, visits: map[string]*visit{}}
	}
	leave := func(p *person, channel string) {
		p.visits[channel].over = true
		p.past = append(p.past, p.visits[channel])
		delete(p.visits, channel)
	}
	for step := range 4000 {
		p, c := people[rng.IntN(len(people))], channels[rng.IntN(len(channels))]
		r := records[c]
		switch dice := rng.IntN(20); {
		case dice < 8:
			start(c)
			h.Publish(r.publish(c, rng.IntN(50) == 0))
		case dice == 8 && rng.IntN(4) == 0 && starts[c].IsZero():
			// The broker was elsewhere for a while and starts again.
			for range rng.IntN(4) {
				r.publish(c, rng.IntN(10) == 0)
			}
			h.Start(c, r.newest())
		case dice == 8:
			h.Publish(&Message{Channel: c, Payload: fmt.Append(nil, "past ", step)})
		case dice < 14:
			n.on(p.loop, func(s *Shard) {
				if v := p.visits[c]; v != nil {
					require.False(t, s.Resume(c, position.Position{}, p))
					require.True(t, s.Unsubscribe(c, &p.Member))
					leave(p, c)
					return
				}
				v := &visit{channel: c, since: r.somewhere(rng)}
				p.visits[c] = v
				require.True(t, s.Resume(c, v.since, p))
			})
		case dice == 14:
			n.on(p.loop, func(s *Shard) {
				s.Leave(&p.Member)
				for name := range p.visits {
					leave(p, name)
				}
			})
		default:
			for range 10 {
				p := people[rng.IntN(len(people))]
				n.on(p.loop, func(s *Shard) { p.full = false; s.Drained(&p.Member) })
			}
		}
	}
	for _, c := range channels {
		start(c)
	}
	require.Eventually(t, func() bool {
		for _, p := range people {
			n.on(p.loop, func(s *Shard) { p.full = false; s.Drained(&p.Member) })
		}
		n.settle()
		return h.stats.CatchingUp.Load() == 0
	}, 30*time.Second, time.Millisecond)
	complete := 0
	for _, p := range people {
		seen := map[string]bool{}
		for _, v := range p.past {
			records[v.channel].check(t, v, false, seen)
		}
		for _, v := range p.visits {
			records[v.channel].check(t, v, true, seen)
			complete++
		}
	}
	require.NotZero(t, complete)
	require.NotZero(t, h.stats.FromHistory.Load())
	require.NotZero(t, h.stats.TooOld.Load())
	if tail.Length > 0 {
		require.NotZero(t, h.stats.FromTail.Load())
		require.NotZero(t, h.stats.FellBehind.Load())
	}
	t.Logf("from tail %d, history %d, too old %d, fell behind %d, pages %d", h.stats.FromTail.Load(), h.stats.FromHistory.Load(),
		h.stats.TooOld.Load(), h.stats.FellBehind.Load(), h.stats.Pages.Load())
	require.Zero(t, h.stats.UnderWay.Load())
	require.Zero(t, h.stats.UnderWayBytes.Load())
}

// somewhere returns where somebody may say that he was.
func (r *record) somewhere(rng *rand.Rand) position.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch n := len(r.messages); {
	case rng.IntN(6) == 0:
		return position.Position{}
	case rng.IntN(20) == 0:
		return position.Position{Epoch: "unheard of", Offset: 3}
	case n == 0:
		return begin
	case rng.IntN(10) == 0:
		return r.messages[rng.IntN(n)].Position
	default:
		return r.messages[max(0, n-1-rng.IntN(keptMessages))].Position
	}
}
