//go:build linux

package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

// reader is a subscriber that writes down what it gets.
type reader struct {
	Member
	full   bool
	fullAt string // the message that fills it
	got    []string
}

func (r *reader) Deliver(m *Message) {
	r.got = append(r.got, string(m.Payload))
	r.full = r.full || string(m.Payload) == r.fullAt
}

func (r *reader) Room() bool { return !r.full }
func (r *reader) Joined(_ string, at position.Position, err error) {
	r.got = append(r.got, fmt.Sprintf("at %s %v", at, err))
}

func at(offset int) position.Position {
	return position.Position{Epoch: "e", Offset: uint64(offset)}
}

// numbered is a message with a position, on channel a.
func numbered(offset int) *Message {
	return &Message{Channel: "a", Position: at(offset), Payload: fmt.Append(nil, offset)}
}

// history has the messages of channel a from the first on.
func history(first int) func(context.Context, string, position.Position, position.Position) (Page, error) {
	return func(_ context.Context, _ string, since, until position.Position) (p Page, _ error) {
		if since.Epoch != "e" || int(since.Offset)+1 < first {
			return Page{TooOld: errors.New("too old")}, nil
		}
		for o := int(since.Offset) + 1; o <= int(until.Offset); o++ {
			p.Messages = append(p.Messages, numbered(o))
		}
		return p, nil
	}
}

// resume subscribes r to channel a and returns once nobody catches up who could.
func (n *node) resume(r *reader, since position.Position) {
	n.on(0, func(s *Shard) { s.Resume("a", since, r) })
	n.settle()
}

func (n *node) drained(r *reader) {
	n.on(0, func(s *Shard) { r.full = false; s.Drained(&r.Member) })
}

func (n *node) expect(t *testing.T, r *reader, want ...string) {
	t.Helper()
	var got []string
	require.Eventually(t, func() bool {
		n.on(0, func(*Shard) { got = append([]string(nil), r.got...) })
		return len(got) >= len(want)
	}, 10*time.Second, time.Millisecond, "want %v", want)
	require.Equal(t, want, got)
}

// What was published past wsfleet reaches those who are there, those who catch up
// too, and is not repeated for those who come back.
func TestWithoutPositionIsNotRepeated(t *testing.T) {
	n := newNode(t, 1, Config{Tail: Tail{Length: 10, Bytes: 1 << 20}, Pinned: []string{"a"}})
	n.Start("a", at(0))
	n.Publish(numbered(1))
	n.Publish(text("a", "past 1"))
	n.Publish(numbered(2))
	n.settle()
	r := &reader{full: true}
	n.resume(r, at(1))
	n.Publish(text("a", "past 2"))
	n.Publish(numbered(3))
	n.settle()
	n.drained(r)
	n.expect(t, r, "at e:1 <nil>", "2", "past 2", "3")
	n.Publish(text("a", "past 3"))
	n.expect(t, r, "at e:1 <nil>", "2", "past 2", "3", "past 3")
}

// The channel was left and joined again, and its start moved: those who are there, and
// those who stand at the end of the tail, get what lies between.
func TestStartElsewhere(t *testing.T) {
	n := newNode(t, 1, Config{Tail: Tail{Length: 10, Bytes: 1 << 20}, Pinned: []string{"a"}, Backfill: history(1)})
	n.Start("a", at(0))
	live, slow, plain := &reader{}, &reader{}, &listener{}
	n.resume(live, at(0))
	n.resume(slow, at(0))
	n.on(0, func(s *Shard) { s.Subscribe("a", plain) })
	n.Publish(numbered(1))
	n.settle()
	n.expect(t, slow, "at e:0 <nil>", "1")
	n.on(0, func(s *Shard) {
		s.FallBehind(slow, s.topics["a"].messages[0])
		slow.fullAt, slow.got = "1", slow.got[:1]
	})
	n.expect(t, slow, "at e:0 <nil>", "1") // again, as it did not take it, and that is all there is
	n.Start("a", at(3))
	n.Publish(numbered(4))
	n.expect(t, live, "at e:0 <nil>", "1", "2", "3", "4")
	n.drained(slow)
	n.expect(t, slow, "at e:0 <nil>", "1", "2", "3", "4")
	n.on(0, func(*Shard) { require.Equal(t, []string{"1", "4"}, plain.got) })
}

// What is too old is told once, with the place from which it goes on.
func TestTooOldGoesOnFromNow(t *testing.T) {
	n := newNode(t, 1, Config{Tail: Tail{Length: 1, Bytes: 1 << 20}, Pinned: []string{"a"}, Backfill: history(3)})
	n.Start("a", at(0))
	for o := range 5 {
		n.Publish(numbered(o + 1))
	}
	n.settle()
	old, fresh := &reader{}, &reader{}
	n.resume(old, at(1))
	n.resume(fresh, at(2))
	n.expect(t, old, "at e:5 too old")
	n.expect(t, fresh, "at e:2 <nil>", "3", "4", "5")
	n.Publish(numbered(6))
	n.expect(t, old, "at e:5 too old", "6")
	n.expect(t, fresh, "at e:2 <nil>", "3", "4", "5", "6")
}

// A tail forgets by number, by bytes over all channels, and by age.
func TestTailIsBounded(t *testing.T) {
	kept := func(tail Tail, publish func(n *node)) (left []string) {
		n := newNode(t, 1, Config{Tail: tail, Pinned: []string{"a", "b"}})
		n.Start("a", at(0))
		n.Start("b", at(0))
		publish(n)
		n.settle()
		n.on(0, func(s *Shard) {
			s.tails.expire(s.topics["a"], time.Now())
			bytes := 0
			for _, name := range []string{"a", "b"} {
				for _, m := range s.topics[name].messages {
					left = append(left, name+string(m.Payload))
					bytes += m.size()
				}
			}
			require.Equal(t, bytes, s.tails.bytes)
			require.EqualValues(t, bytes, n.stats.TailBytes.Load())
			require.Equal(t, len(left), s.tails.kept)
			require.LessOrEqual(t, len(s.tails.order), 2*len(left)+65)
		})
		return left
	}
	many := func(n *node) {
		n.Publish(&Message{Channel: "b", Position: at(1), Payload: []byte("0")})
		for o := range 1000 {
			n.Publish(numbered(o + 1))
		}
	}
	require.Equal(t, []string{"a999", "a1000", "b0"}, kept(Tail{Length: 2, Bytes: 1 << 20}, many))
	require.Equal(t, []string{"a998", "a999", "a1000"}, kept(Tail{Length: 100, Bytes: 3 * (messageOverhead + 8)}, many))
	require.Equal(t, []string{"b0"}, kept(Tail{Length: 100, Bytes: 1 << 20, Age: time.Nanosecond}, func(n *node) {
		n.Publish(numbered(1))
		n.Publish(&Message{Channel: "b", Position: at(1), Payload: []byte("0")})
	}))
}

// Who publishes waits when the loops do not keep up, and goes on with them, or when the
// hub is closed.
func TestPublishWaitsForTheLoops(t *testing.T) {
	n := newNode(t, 2, Config{Pinned: []string{"a"}})
	held := make(chan struct{})
	n.loops[1].Post(func() { <-held })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for o := range 2 * maxUnderWay {
			n.Publish(numbered(o + 1))
		}
	}()
	require.Eventually(t, func() bool { return n.stats.Waiting.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, maxUnderWay, n.stats.UnderWay.Load())
	select {
	case <-done:
		t.Fatal("published beyond the bound")
	default:
	}
	close(held)
	<-done
	n.settle()
	require.Zero(t, n.stats.UnderWay.Load())
	require.NotZero(t, n.stats.Waited.Load())

	blocked := make(chan struct{})
	n.loops[0].Post(func() { <-blocked })
	go func() {
		for range 2 * maxUnderWay {
			n.Publish(numbered(1))
		}
		close(blocked)
	}()
	require.Eventually(t, func() bool { return n.stats.Waiting.Load() == 1 }, 10*time.Second, time.Millisecond)
	n.Close()
	<-blocked
}

// Those who ask for the same page share it, and no more than maxFetches are asked for at
// once.
func TestFetchesAreSharedAndBounded(t *testing.T) {
	release, asked := make(chan struct{}), make(chan position.Position, 100)
	page := history(1)
	n := newNode(t, 1, Config{Pinned: []string{"a"}, Backfill: func(ctx context.Context, channel string, since, until position.Position) (Page, error) {
		asked <- since
		<-release
		return page(ctx, channel, since, until)
	}})
	n.Start("a", at(50))
	n.settle()
	var readers []*reader
	for range 3 {
		for o := range 2 * maxFetches {
			r := &reader{}
			readers = append(readers, r)
			n.resume(r, at(30+o))
		}
	}
	require.Eventually(t, func() bool { return len(asked) == maxFetches }, 10*time.Second, time.Millisecond)
	n.settle()
	require.Len(t, asked, maxFetches)
	close(release)
	for i, r := range readers {
		want := []string{fmt.Sprintf("at e:%d <nil>", 30+i%(2*maxFetches))}
		for o := 31 + i%(2*maxFetches); o <= 50; o++ {
			want = append(want, fmt.Sprint(o))
		}
		n.expect(t, r, want...)
	}
	require.Len(t, asked, 2*maxFetches)
	n.Close()
}
