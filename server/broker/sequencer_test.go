package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

// patience is for what must happen, but nobody knows when on a busy machine.
const patience = 60 * time.Second

// desk drives a sequencer by hand, and writes down what its receiver is told.
type desk struct {
	t       *testing.T
	stats   Stats
	intake  *intake
	numbers uint64

	mu   sync.Mutex // guards the following
	told []string
}

// Start implements Receiver.
func (d *desk) Start(channel string, p position.Position) { d.write("%s starts at %v", channel, p) }

// Deliver implements Receiver.
func (d *desk) Deliver(m Message) {
	text := m.Channel + " " + string(m.Payload)
	if m.Lost != 0 {
		text += fmt.Sprintf(", %d lost", m.Lost)
	}
	d.write("%s", text)
}

func (d *desk) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, fmt.Sprintf(format, args...))
}

func newDesk(t *testing.T, history reader) *desk {
	d := &desk{t: t}
	d.intake = newIntake(1<<20, &d.stats)
	seq := newSequencer(d.intake, &d.stats, history)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		seq.run(ctx, d)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return d
}

// subscribe begins channel at e:0.
func (d *desk) subscribe(channel string) {
	d.numbers++
	d.intake.control(event{kind: eventSubscribe, channel: channel, number: d.numbers})
	d.anchor(1, channel, header{Position: at("e", 0), start: 1})
}

// anchor is the server's word of where the channel stands, over a connection.
func (d *desk) anchor(connection uint64, channel string, h header) {
	d.intake.control(event{kind: eventAnchors, connection: connection, anchors: []anchor{{channel, d.numbers, h}}})
}

// message comes over a connection; its payload is its position.
func (d *desk) message(connection uint64, channel string, h header) {
	d.intake.message(connection, channel, appendWire(nil, h, 0, []byte(h.String())))
}

// live has the messages of these offsets come, in epoch e over connection 1.
func (d *desk) live(channel string, offsets ...uint64) {
	for _, o := range offsets {
		d.message(1, channel, header{Position: at("e", o), start: 1})
	}
}

// expect waits until the receiver was told exactly this.
func (d *desk) expect(want ...string) {
	d.t.Helper()
	told := func() []string {
		d.mu.Lock()
		defer d.mu.Unlock()
		return append([]string(nil), d.told...)
	}
	for deadline := time.Now().Add(patience); len(told()) < len(want) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	require.Equal(d.t, want, told())
}

// kept makes a page of the messages from, ... to of epoch e.
func keptPage(from, to uint64) page {
	p := page{anchor: header{Position: at("e", to), start: 1}}
	for o := from; o <= to; o++ {
		h := header{Position: at("e", o), start: 1}
		p.messages = append(p.messages, stored{h, []byte(h.String())})
	}
	return p
}

func TestGapIsClosed(t *testing.T) {
	go1 := make(chan struct{})
	d := newDesk(t, func(_ context.Context, channel string, since position.Position, _ int) (page, error) {
		require.Equal(t, "a", channel)
		require.Equal(t, at("e", 2), since)
		<-go1
		return keptPage(3, 6), nil
	})
	d.subscribe("a")
	d.live("a", 1, 2, 5, 6, 7)
	d.subscribe("b")
	d.live("b", 1)
	d.expect("a starts at e:0", "a e:1", "a e:2", "b starts at e:0", "b e:1") // which doesn't wait
	close(go1)
	d.live("a", 8)
	d.expect("a starts at e:0", "a e:1", "a e:2", "b starts at e:0", "b e:1", "a e:3", "a e:4", "a e:5", "a e:6", "a e:7", "a e:8")
	require.EqualValues(t, 4, d.stats.Recovered.Load())
	require.EqualValues(t, 2, d.stats.Duplicates.Load())
	require.EqualValues(t, 1, d.stats.Gaps.Recovered.Load())
}

func TestGapIsCounted(t *testing.T) {
	d := newDesk(t, nil)
	d.subscribe("a")
	d.live("a", 1, 2, 5, 6, 6, 3, 9)
	d.expect("a starts at e:0", "a e:1", "a e:2", "a e:5, 2 lost", "a e:6", "a e:9, 2 lost")
	require.EqualValues(t, 4, d.stats.Lost.Load())
	require.EqualValues(t, 2, d.stats.Gaps.Lost.Load())
	require.EqualValues(t, 2, d.stats.Duplicates.Load())
}

// The server's word after a reconnect shows the gap; the next message tells of it.
func TestAnchorShowsTheGap(t *testing.T) {
	d := newDesk(t, nil)
	d.subscribe("a")
	d.live("a", 1)
	d.anchor(2, "a", header{Position: at("e", 4), start: 1})
	d.message(2, "a", header{Position: at("e", 5), start: 1})
	d.expect("a starts at e:0", "a e:1", "a e:5, 3 lost")

	d = newDesk(t, func(context.Context, string, position.Position, int) (page, error) { return keptPage(2, 4), nil })
	d.subscribe("a")
	d.live("a", 1)
	d.anchor(2, "a", header{Position: at("e", 4), start: 1})
	d.expect("a starts at e:0", "a e:1", "a e:2", "a e:3", "a e:4")
}

func TestUnknownLoss(t *testing.T) {
	d := newDesk(t, nil)
	d.subscribe("a")
	d.live("a", 1)
	// Over the same connection nothing can be missing: the server forgot the channel.
	d.message(1, "a", header{Position: at("f", 1), start: 1})
	d.message(1, "a", header{Position: at("f", 2), start: 1})
	// Over another one something may be. The message waits for the server's word.
	d.message(2, "a", header{Position: at("g", 8), start: 1})
	d.expect("a starts at e:0", "a e:1", "a f:1", "a f:2")
	d.anchor(2, "a", header{Position: at("g", 8), start: 1})
	d.expect("a starts at e:0", "a e:1", "a f:1", "a f:2", "a g:8, -1 lost")
	require.EqualValues(t, 1, d.stats.Gaps.Unknown.Load())
	require.Zero(t, d.stats.Lost.Load())
}

// The server was restarted twice meanwhile: what it says of its epochs tells the number.
func TestLossOverSeveralEpochs(t *testing.T) {
	d := newDesk(t, nil)
	d.subscribe("a")
	d.live("a", 1, 2)
	d.message(2, "a", header{Position: at("g", 10), start: 9, previous: "f"})
	d.anchor(2, "a", header{Position: at("g", 11), start: 9, past: []term{{"f", 5}, {"e", 1}}})
	d.message(2, "a", header{Position: at("g", 12), start: 9, previous: "f"})
	d.expect("a starts at e:0", "a e:1", "a e:2", "a g:10, 7 lost", "a g:12, 1 lost")
	require.Zero(t, d.stats.Gaps.Unknown.Load())
}

func TestFetchIsTriedAgain(t *testing.T) {
	tries := 0
	d := newDesk(t, func(context.Context, string, position.Position, int) (page, error) {
		if tries++; tries < 3 {
			return page{}, errors.New("away")
		}
		return keptPage(1, 3), nil
	})
	d.subscribe("a")
	d.live("a", 3)
	d.expect("a starts at e:0", "a e:1", "a e:2", "a e:3")
}

func TestHistoryIsReadPageByPage(t *testing.T) {
	d := newDesk(t, func(_ context.Context, _ string, since position.Position, _ int) (page, error) {
		p := keptPage(since.Offset+1, since.Offset+2)
		p.anchor.Offset = 6
		p.more = since.Offset < 4
		return p, nil
	})
	d.subscribe("a")
	d.live("a", 6)
	d.expect("a starts at e:0", "a e:1", "a e:2", "a e:3", "a e:4", "a e:5", "a e:6")
	require.EqualValues(t, 1, d.stats.Gaps.Recovered.Load())
}

func TestHistoryThatIsGoneInPart(t *testing.T) {
	d := newDesk(t, func(context.Context, string, position.Position, int) (page, error) {
		p := keptPage(4, 5)
		p.old = true
		return p, nil
	})
	d.subscribe("a")
	d.live("a", 1, 6)
	d.expect("a starts at e:0", "a e:1", "a e:4, 2 lost", "a e:5", "a e:6")
	require.Zero(t, d.stats.Gaps.Recovered.Load())
}

func TestHistoryThatIsGone(t *testing.T) {
	d := newDesk(t, func(context.Context, string, position.Position, int) (page, error) { return page{old: true}, nil })
	d.subscribe("a")
	d.live("a", 1, 5, 6)
	d.expect("a starts at e:0", "a e:1", "a e:5, -1 lost", "a e:6")
	require.EqualValues(t, 1, d.stats.Gaps.Unknown.Load())
}

func TestWhatFindsNoRoomToWaitIsFetchedAgain(t *testing.T) {
	open := make(chan struct{})
	d := newDesk(t, func(_ context.Context, _ string, since position.Position, _ int) (page, error) {
		<-open
		p := keptPage(since.Offset+1, min(3000, since.Offset+1000))
		p.anchor.Offset, p.more = 3000, since.Offset+1000 < 3000
		return p, nil
	})
	d.intake.limit = room(1000)
	d.subscribe("a")
	for o := range uint64(3000) {
		if o != 1 {
			d.live("a", o+1)
		}
		for d.stats.Waiting.Load() > d.intake.limit/2 {
			time.Sleep(time.Millisecond)
		}
	}
	close(open)
	want := []string{"a starts at e:0"}
	for o := range 3000 {
		want = append(want, fmt.Sprintf("a e:%d", o+1))
	}
	d.expect(want...)
	require.Zero(t, d.stats.Dropped.Load())
}

func TestUnsubscribeEndsAFetch(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	d := newDesk(t, func(ctx context.Context, _ string, _ position.Position, _ int) (page, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return page{}, ctx.Err()
	})
	d.subscribe("a")
	d.live("a", 5)
	<-begun
	d.intake.control(event{kind: eventUnsubscribe, channel: "a"})
	<-ended
	d.live("a", 6)
	d.subscribe("b")
	d.live("b", 1)
	d.expect("a starts at e:0", "b starts at e:0", "b e:1")
}

// An answer to the question of a subscription that has ended is not one for the next.
func TestAnswerForAnotherSubscription(t *testing.T) {
	d := newDesk(t, nil)
	d.subscribe("a")
	d.intake.control(event{kind: eventUnsubscribe, channel: "a"})
	d.intake.control(event{kind: eventSubscribe, channel: "a", number: 2})
	d.anchor(1, "a", header{Position: at("e", 3), start: 1})
	d.live("a", 5)
	d.numbers = 2
	d.anchor(1, "a", header{Position: at("e", 5), start: 1})
	d.live("a", 6)
	d.expect("a starts at e:0", "a starts at e:5", "a e:6")
}
