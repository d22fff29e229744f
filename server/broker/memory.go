package broker

import (
	"context"
	"errors"
	"sync"

	"github.com/wsfleet/wsfleet/server/position"
)

// errNotRunning says that nobody takes messages yet, or any more.
var errNotRunning = errors.New("broker is not running")

// Memory is the broker of a node on its own: it needs no server. What is published takes
// the way of what comes from one, through intake and sequencer.
type Memory struct {
	stats  Stats
	intake *intake
	seq    *sequencer

	mu         sync.Mutex // guards the following, and orders what the intake is told
	running    bool
	store      *store
	subscribed map[string]uint64 // the number of the subscription
	number     uint64            // of the last subscription
}

// NewMemory returns a broker that reaches this process only.
func NewMemory(h History) *Memory { return newMemory(Config{History: h}) }

func newMemory(cfg Config) *Memory {
	if cfg.Queue == 0 {
		cfg.Queue = queueDefault
	}
	m := &Memory{store: newStore(cfg.History), subscribed: make(map[string]uint64)}
	m.intake = newIntake(int64(cfg.Queue), &m.stats)
	var mend reader
	if cfg.History.Length > 0 {
		mend = m.read
	}
	m.seq = newSequencer(m.intake, &m.stats, mend)
	return m
}

// Run implements Broker.
func (m *Memory) Run(ctx context.Context, r Receiver) error {
	m.setRunning(true)
	defer m.setRunning(false)
	m.seq.run(ctx, r)
	return nil
}

func (m *Memory) setRunning(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = on
}

// Subscribe implements Broker.
func (m *Memory) Subscribe(channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.subscribed[channel] != 0 {
		return
	}
	m.number++
	m.subscribed[channel] = m.number
	m.stats.Subscriptions.Add(1)
	m.intake.control(event{kind: eventSubscribe, channel: channel, number: m.number})
	here := anchor{channel: channel, number: m.number, header: m.store.anchor(channel)}
	m.intake.control(event{kind: eventAnchors, anchors: []anchor{here}})
}

// Unsubscribe implements Broker.
func (m *Memory) Unsubscribe(channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.subscribed[channel] == 0 {
		return
	}
	delete(m.subscribed, channel)
	m.stats.Subscriptions.Add(-1)
	m.intake.control(event{kind: eventUnsubscribe, channel: channel})
}

// Publish implements Broker.
func (m *Memory) Publish(_ context.Context, channel string, payload []byte) (position.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running {
		m.stats.PublishErrors.Add(1)
		return position.Position{}, errNotRunning
	}
	m.stats.Published.Add(1)
	h, wire := m.store.add(channel, payload)
	if m.subscribed[channel] != 0 {
		m.intake.message(0, channel, wire)
	}
	return h.Position, nil
}

// PublishLater implements Broker.
func (m *Memory) PublishLater(channel string, payload []byte, done func(position.Position, error)) error {
	p, err := m.Publish(context.Background(), channel, payload)
	if done != nil {
		go done(p, err) // the caller may hold what done needs
	}
	return nil
}

// History implements Broker.
func (m *Memory) History(ctx context.Context, channel string, since, until position.Position, limit int) ([]Message, bool, error) {
	return historyOf(ctx, m.read, channel, since, until, limit)
}

// read is a reader.
func (m *Memory) read(_ context.Context, channel string, since position.Position, limit int) (page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.store.read(channel, since, limit), nil
}

// Ready implements Broker.
func (m *Memory) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running {
		return errNotRunning
	}
	return nil
}

// Stats implements Broker.
func (m *Memory) Stats() *Stats { return &m.stats }
