package broker

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

// model is a server with one channel, whose connection breaks and which is restarted, now
// and then with the loss of its last messages.
type model struct {
	mu     sync.Mutex // guards the following
	kept   []stored   // all there ever was on the way to now, but for what was forgotten
	epoch  int
	anchor header
}

func (m *model) publish(payload string) header {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.anchor.Offset++
	m.kept = append(m.kept, stored{m.anchor, []byte(payload)})
	return m.anchor
}

// restart begins a new epoch, after the last n messages were forgotten.
func (m *model) restart(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = m.kept[:len(m.kept)-min(n, len(m.kept))]
	last := header{Position: at("e0", 0), start: 1}
	if len(m.kept) > 0 {
		last = m.kept[len(m.kept)-1].header
	}
	m.epoch++
	m.anchor = header{
		Position: at("e"+strconv.Itoa(m.epoch), last.Offset), start: last.Offset + 1,
		previous: last.Epoch, past: append([]term{{last.Epoch, last.start}}, last.past...),
	}
}

func (m *model) now() header {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == 0 {
		return header{Position: at("e0", 0), start: 1}
	}
	return m.kept[len(m.kept)-1].header
}

// read is a reader that works as the library does, with all that is kept.
func (m *model) read(_ context.Context, _ string, since position.Position, limit int) (page, error) {
	p := page{anchor: m.now()}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, x := range m.kept {
		after := x.missing(since)
		if x.Epoch == since.Epoch && x.Offset <= since.Offset || after == LostUnknown {
			continue
		}
		rest := m.kept[i:]
		p.messages = rest[:min(len(rest), limit)]
		p.more = len(rest) > limit
		break
	}
	return p, nil
}

// tally is a receiver that keeps an account.
type tally struct {
	mu   sync.Mutex // guards the following
	got  []string
	lost int64
}

func (r *tally) Start(string, position.Position) {}

func (r *tally) Deliver(m Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, string(m.Payload))
	r.lost += m.Lost
	if m.Lost < 0 {
		r.lost = -1 << 40
	}
}

func (r *tally) account() (got []string, lost int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...), r.lost
}

// Whatever happens between the server and here: with a history every message is delivered
// once and in order, without one each is delivered or counted.
func TestSequencerAgainstAModel(t *testing.T) {
	for seed := range uint64(200) {
		for _, history := range []bool{true, false} {
			t.Run(strconv.FormatUint(seed, 10)+"/"+strconv.FormatBool(history), func(t *testing.T) {
				againstModel(t, rand.New(rand.NewPCG(seed, 1)), history)
			})
		}
	}
}

func againstModel(t *testing.T, random *rand.Rand, history bool) {
	m := &model{anchor: header{Position: at("e0", 0), start: 1}}
	var read reader
	if history {
		read = m.read
	}
	var stats Stats
	in := newIntake(room(20), &stats)
	seq := newSequencer(in, &stats, read)
	receiver := &tally{}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { seq.run(ctx, receiver) })
	defer wg.Wait()
	defer cancel()

	connection, connected := uint64(1), true
	verify := func() {
		in.control(event{kind: eventAnchors, connection: connection, anchors: []anchor{{"c", 1, m.now()}}})
	}
	in.control(event{kind: eventSubscribe, channel: "c", number: 1})
	verify()
	sent := 0
	for range 300 {
		switch n := random.IntN(100); {
		case n < 5:
			connected = false
		case n < 15 && !connected:
			connection++
			connected = true
			verify()
		case n < 17:
			connected = false
			m.restart(0)
		case n < 20:
			time.Sleep(time.Millisecond) // some of the queue is worked off
		default:
			h := m.publish(strconv.Itoa(sent))
			sent++
			if connected {
				h.past = nil
				in.message(connection, "c", appendWire(nil, h, 0, []byte(strconv.Itoa(sent-1))))
			}
		}
	}
	connection++
	verify()
	deadline := time.Now().Add(patience)
	for {
		got, _ := receiver.account()
		if uint64(len(got))+stats.Lost.Load() == uint64(sent) {
			break
		}
		require.True(t, time.Now().Before(deadline), "%d delivered, %d lost of %d", len(got), stats.Lost.Load(), sent)
		time.Sleep(100 * time.Microsecond)
	}
	got, _ := receiver.account()
	if history {
		require.Len(t, got, sent)
	}
	last := -1
	for _, payload := range got {
		n, err := strconv.Atoi(payload)
		require.NoError(t, err)
		require.Greater(t, n, last)
		last = n
	}
	require.Zero(t, stats.Gaps.Unknown.Load())
}
