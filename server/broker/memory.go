package broker

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/wsfleet/wsfleet/server/position"
)

// errNotRunning says that nobody takes messages yet, or any more.
var errNotRunning = errors.New("broker is not running")

// Memory is the broker of a node on its own: it needs no server.
type Memory struct {
	stats Stats

	mu       sync.Mutex // guards the following, and orders deliveries
	receiver Receiver   // nil unless running
	channels map[string]bool
}

// NewMemory returns a broker that reaches this process only.
func NewMemory(History) *Memory { return &Memory{channels: make(map[string]bool)} }

// Run implements Broker.
func (m *Memory) Run(ctx context.Context, r Receiver) error {
	m.setReceiver(r)
	defer m.setReceiver(nil)
	<-ctx.Done()
	return nil
}

func (m *Memory) setReceiver(r Receiver) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.receiver = r
}

// Subscribe implements Broker.
func (m *Memory) Subscribe(channel string) { m.setSubscribed(channel, true) }

// Unsubscribe implements Broker.
func (m *Memory) Unsubscribe(channel string) { m.setSubscribed(channel, false) }

func (m *Memory) setSubscribed(channel string, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if on {
		m.channels[channel] = true
	} else {
		delete(m.channels, channel)
	}
	m.stats.Subscriptions.Store(int64(len(m.channels)))
}

// Publish implements Broker. It delivers before it returns.
func (m *Memory) Publish(_ context.Context, channel string, payload []byte) (position.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.receiver == nil {
		m.stats.PublishErrors.Add(1)
		return position.Position{}, errNotRunning
	}
	m.stats.Published.Add(1)
	if m.channels[channel] {
		m.stats.Received.Add(1)
		m.receiver.Deliver(Message{Channel: channel, Payload: bytes.Clone(payload)})
	}
	return position.Position{}, nil
}

// PublishLater implements Broker.
func (m *Memory) PublishLater(channel string, payload []byte, done func(position.Position, error)) error {
	p, err := m.Publish(context.Background(), channel, payload)
	if done != nil {
		done(p, err)
	}
	return nil
}

// History implements Broker.
func (m *Memory) History(context.Context, string, position.Position, position.Position, int) ([]Message, bool, error) {
	return nil, false, ErrTooOld
}

// Ready implements Broker.
func (m *Memory) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.receiver == nil {
		return errNotRunning
	}
	return nil
}

// Stats implements Broker.
func (m *Memory) Stats() *Stats { return &m.stats }
