package broker_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
)

// inbox keeps what a node was handed, and checks what every Receiver is promised.
type inbox struct {
	t       *testing.T
	unknown atomic.Bool // channels may start at no position

	mu     sync.Mutex // guards the following
	got    map[string][]broker.Message
	starts map[string][]position.Position
	last   map[string]position.Position
	gate   chan struct{} // nil unless Deliver is to block
}

func newInbox(t *testing.T) *inbox {
	return &inbox{t: t, got: make(map[string][]broker.Message), starts: make(map[string][]position.Position), last: make(map[string]position.Position)}
}

// Start implements broker.Receiver.
func (b *inbox) Start(channel string, p position.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.IsZero() && !b.unknown.Load() {
		b.t.Errorf("%s starts at no position", channel)
	}
	b.starts[channel] = append(b.starts[channel], p)
	b.last[channel] = p
}

// Deliver implements broker.Receiver.
func (b *inbox) Deliver(m broker.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.gate != nil {
		gate := b.gate
		b.mu.Unlock()
		<-gate
		b.mu.Lock()
	}
	if p := m.Position; !p.IsZero() {
		last, started := b.last[m.Channel]
		if !started {
			b.t.Errorf("%s: %v before its start", m.Channel, p)
		}
		// Where epochs change, only their offsets' order can be told from here.
		if m.Lost == 0 && p.Epoch == last.Epoch && p.Offset != last.Offset+1 ||
			m.Lost > 0 && p.Epoch == last.Epoch && p.Offset != last.Offset+1+uint64(m.Lost) {
			b.t.Errorf("%s: %v after %v with %d lost", m.Channel, p, last, m.Lost)
		}
		b.last[m.Channel] = p
	}
	b.got[m.Channel] = append(b.got[m.Channel], m)
}

// block makes Deliver wait until release.
func (b *inbox) block() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gate = make(chan struct{})
}

func (b *inbox) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate != nil {
		close(b.gate)
		b.gate = nil
	}
}

func (b *inbox) of(channel string) []broker.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got[channel])
}

func (b *inbox) payloads(channel string) []string {
	var all []string
	for _, m := range b.of(channel) {
		all = append(all, string(m.Payload))
	}
	return all
}

func (b *inbox) startsOf(channel string) []position.Position {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.starts[channel])
}

// lost returns how many messages of the channel the inbox was told to be missing.
func (b *inbox) lost(channel string) (n int64) {
	for _, m := range b.of(channel) {
		require.NotEqual(b.t, int64(broker.LostUnknown), m.Lost)
		n += m.Lost
	}
	return n
}

// await returns once the last message of the channel is payload.
func (b *inbox) await(channel, payload string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		got := b.got[channel]
		return len(got) > 0 && string(got[len(got)-1].Payload) == payload
	}, patience, 2*time.Millisecond, "%q does not arrive on %s", payload, channel)
}
