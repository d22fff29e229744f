//go:build linux

// Package hub knows who on this node listens to which channel, and carries what
// is published there to them, loop by loop.
package hub

import (
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Subscriber gets the messages of its channels, on its loop. It must not block.
type Subscriber interface {
	Deliver(m *frame.Shared)
}

// Config of a Hub.
type Config struct {
	// First and Last, if set, are told when a channel gets its first and loses
	// its last subscriber on this node. They are called on a loop, in order
	// for each channel, and must not block.
	First, Last func(channel string)
	// ObserveFanout, if set, gets the time from Publish to the last delivery
	// of a shard. Called on the loops.
	ObserveFanout func(time.Duration)
}

// Hub joins the shards of a node.
type Hub struct {
	cfg    Config
	shards []*Shard

	mu    sync.Mutex     // guards users
	users map[string]int // channel → shards that have subscribers to it
}

// New returns a hub without shards.
func New(cfg Config) *Hub {
	return &Hub{cfg: cfg, users: make(map[string]int)}
}

// NewShard adds the shard of loop. All shards are added before the first Publish.
func (h *Hub) NewShard(loop *netpoll.Loop) *Shard {
	s := &Shard{hub: h, loop: loop, topics: make(map[string]*topic)}
	h.shards = append(h.shards, s)
	return s
}

// Publish carries m to every subscriber of channel. It returns at once; each
// loop delivers in its own time, the messages of a channel in the order of the
// calls. The message must not be changed any more. Safe from any goroutine, but the
// order between goroutines is theirs to fix.
func (h *Hub) Publish(channel string, m *frame.Shared) {
	published := time.Now()
	for _, s := range h.shards {
		s.loop.Post(func() { s.publish(channel, m, published) })
	}
}

// joined counts a shard in that has its first subscriber of channel.
func (h *Hub) joined(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users[channel]++
	if h.users[channel] == 1 && h.cfg.First != nil {
		h.cfg.First(channel) // under the lock, so that First and Last keep their order
	}
}

func (h *Hub) left(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users[channel]--
	if h.users[channel] > 0 {
		return
	}
	delete(h.users, channel)
	if h.cfg.Last != nil {
		h.cfg.Last(channel)
	}
}
