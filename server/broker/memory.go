package broker

import (
	"context"
	"errors"
	"sync"
)

// errNotRunning says that nobody takes messages yet, or any more.
var errNotRunning = errors.New("broker is not running")

// Memory is the broker of a node on its own: it needs no server.
type Memory struct {
	stats Stats

	mu       sync.Mutex // guards the following, and orders deliveries
	deliver  Deliver    // nil unless running
	channels map[string]bool
}

// NewMemory returns a broker that reaches this process only.
func NewMemory() *Memory { return &Memory{channels: make(map[string]bool)} }

// Run implements Broker.
func (m *Memory) Run(ctx context.Context, deliver Deliver) error {
	m.setDeliver(deliver)
	defer m.setDeliver(nil)
	<-ctx.Done()
	return nil
}

func (m *Memory) setDeliver(d Deliver) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliver = d
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
func (m *Memory) Publish(_ context.Context, channel string, payload []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deliver == nil {
		m.stats.PublishErrors.Add(1)
		return errNotRunning
	}
	m.stats.Published.Add(1)
	if m.channels[channel] {
		m.stats.Received.Add(1)
		m.deliver(channel, payload)
	}
	return nil
}

// Ready implements Broker.
func (m *Memory) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deliver == nil {
		return errNotRunning
	}
	return nil
}

// Stats implements Broker.
func (m *Memory) Stats() *Stats { return &m.stats }
