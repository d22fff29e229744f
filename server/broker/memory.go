package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

// errNotRunning says that nobody takes messages yet, or any more.
var errNotRunning = errors.New("broker is not running")

// Memory is the broker of a node on its own: it needs no server.
type Memory struct {
	stats   Stats
	history History
	epoch   string
	wake    chan struct{}

	mu       sync.Mutex
	running  bool
	channels map[string]bool
	streams  map[string]*memoryStream
	queue    []func(Receiver)
}

type memoryStream struct {
	offset uint64
	kept   []Message
	at     []time.Time
}

// NewMemory returns a broker that reaches this process only.
func NewMemory(h History) *Memory {
	return &Memory{
		history: h, epoch: "m" + strconv.FormatInt(time.Now().UnixNano(), 36), wake: make(chan struct{}, 1),
		channels: make(map[string]bool), streams: make(map[string]*memoryStream),
	}
}

// Run implements Broker.
func (m *Memory) Run(ctx context.Context, r Receiver) error {
	m.mu.Lock()
	m.running = true
	m.mu.Unlock()
	for {
		m.mu.Lock()
		queue := m.queue
		m.queue = nil
		m.mu.Unlock()
		for _, f := range queue {
			f(r)
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			m.mu.Lock()
			m.running = false
			m.mu.Unlock()
			return nil
		case <-m.wake:
		}
	}
}

func (m *Memory) pushLocked(f func(Receiver)) {
	m.queue = append(m.queue, f)
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Memory) streamLocked(channel string) *memoryStream {
	s := m.streams[channel]
	if s == nil {
		s = &memoryStream{}
		m.streams[channel] = s
	}
	return s
}

// Subscribe implements Broker.
func (m *Memory) Subscribe(channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.channels[channel] = true
	m.stats.Subscriptions.Store(int64(len(m.channels)))
	p := position.Position{Epoch: m.epoch, Offset: m.streamLocked(channel).offset}
	m.pushLocked(func(r Receiver) { r.Start(channel, p) })
}

// Unsubscribe implements Broker.
func (m *Memory) Unsubscribe(channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.channels, channel)
	m.stats.Subscriptions.Store(int64(len(m.channels)))
}

// Publish implements Broker. It delivers before it returns.
func (m *Memory) Publish(_ context.Context, channel string, payload []byte) (position.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running {
		m.stats.PublishErrors.Add(1)
		return position.Position{}, errNotRunning
	}
	m.stats.Published.Add(1)
	s := m.streamLocked(channel)
	s.offset++
	msg := Message{Channel: channel, Payload: bytes.Clone(payload), Position: position.Position{Epoch: m.epoch, Offset: s.offset}}
	if m.history.Length > 0 {
		s.kept, s.at = append(s.kept, msg), append(s.at, time.Now())
		for len(s.kept) > m.history.Length {
			s.kept, s.at = s.kept[1:], s.at[1:]
		}
	}
	if m.channels[channel] {
		m.stats.Received.Add(1)
		m.pushLocked(func(r Receiver) { r.Deliver(msg) })
	}
	return msg.Position, nil
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
func (m *Memory) History(_ context.Context, channel string, since, until position.Position, limit int) ([]Message, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streamLocked(channel)
	for m.history.Age > 0 && len(s.at) > 0 && time.Since(s.at[0]) > m.history.Age {
		s.kept, s.at = s.kept[1:], s.at[1:]
	}
	oldest := s.offset - uint64(len(s.kept))
	if since.Epoch != m.epoch || since.Offset < oldest || since.Offset > s.offset {
		return nil, false, fmt.Errorf("%w: it starts after %s:%d", ErrTooOld, m.epoch, oldest)
	}
	page := s.kept[since.Offset-oldest:]
	if !until.IsZero() {
		page = page[:until.Offset-since.Offset]
	}
	if len(page) > limit {
		return append([]Message(nil), page[:limit]...), true, nil
	}
	return append([]Message(nil), page...), false, nil
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
