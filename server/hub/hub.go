//go:build linux

// Package hub knows who on this node listens to which channel, and carries what
// is published there to them, loop by loop. It remembers the last messages of each
// channel, so that who returns gets what it missed.
package hub

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/position"
)

// Config of a Hub.
type Config struct {
	// First and Last, if set, are told when a channel gets its first and loses
	// its last subscriber on this node. They are called on a loop, in order
	// for each channel, and must not block, nor wait for a delivery.
	First, Last func(channel string)
	// Pinned channels have First told by New, and never Last.
	Pinned []string
	// ObserveFanout, if set, gets the time from Publish to the last delivery
	// of a shard. Called on the loops.
	ObserveFanout func(time.Duration)
	// Tail is what each shard remembers; the zero value is nothing.
	Tail Tail
	// Backfill fetches what the tail no longer has, for those who resume; nil has
	// nothing. Called from some goroutine; it may block until ctx is done.
	Backfill func(ctx context.Context, channel string, since, until position.Position) (Page, error)
}

// Page is a part of a channel's history.
type Page struct {
	// Messages follow directly on the position that was asked for, up to and
	// including until at the most, the oldest first.
	Messages []*Message
	// More says that there are others before until.
	More bool
	// TooOld, if not nil, is why there is no telling what follows on the position.
	TooOld error
}

// Hub joins the shards of a node.
type Hub struct {
	cfg      Config
	shards   []*Shard
	stats    Stats
	underWay underWay
	fetcher  fetcher

	mu       sync.Mutex // guards the following, and is the order in which shards get what is posted
	channels map[string]*channel
	census   []*channel // all channels, to be counted piece by piece
}

// channel is what all shards have in common of one. All but members is guarded by the
// lock of the hub.
type channel struct {
	name    string
	number  int          // in census
	members atomic.Int64 // subscriptions of all shards
	topics  []*topic     // one for each shard that has it
	pinned  bool
	started bool
	last    position.Position // of the last message posted; once started
}

// New returns a hub without shards.
func New(cfg Config) *Hub {
	h := &Hub{cfg: cfg, channels: make(map[string]*channel)}
	h.underWay.init(&h.stats)
	h.fetcher.init(cfg.Backfill, &h.stats)
	for _, name := range cfg.Pinned {
		h.addChannel(name).pinned = true
		if cfg.First != nil {
			cfg.First(name)
		}
	}
	return h
}

// NewShard adds the shard of loop. All shards are added before the first Publish.
func (h *Hub) NewShard(loop *netpoll.Loop) *Shard {
	s := newShard(h, loop)
	h.shards = append(h.shards, s)
	for _, name := range h.cfg.Pinned {
		s.addTopic(name)
	}
	return s
}

// Close lets Publish return without delivering, and ends what is being fetched. It is
// called when the loops end.
func (h *Hub) Close() {
	h.underWay.close()
	h.fetcher.close()
}

// Publish carries m to every subscriber of its channel. Each loop delivers in its own
// time, the messages of a channel in the order of the calls. It waits while too much
// is under way. Safe from any goroutine but the loops', and the order between
// goroutines is theirs to fix.
func (h *Hub) Publish(m *Message) {
	m.published = time.Now()
	if !h.underWay.enter(m.size()) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.channels[m.Channel]
	if c == nil || len(c.topics) == 0 {
		h.underWay.leave(m.size())
		return
	}
	if c.started && !m.Position.IsZero() {
		c.last = m.Position
	}
	m.pending.Store(int32(len(c.topics)))
	for _, t := range c.topics {
		t.shard.post(item{topic: t, message: m})
	}
}

// Start says that what is published on channel after p will be given to Publish. What
// has no position may come before. It may come again, elsewhere, if the channel was left
// and joined again meanwhile: those who can resume get what lies between.
func (h *Hub) Start(name string, p position.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.channels[name]
	if c == nil || c.started && c.last == p {
		return
	}
	c.started, c.last = true, p
	for _, t := range c.topics {
		t.shard.post(item{topic: t, start: p})
	}
}

// joined counts in a topic that is new on its shard. Everything posted from now on
// reaches it.
func (h *Hub) joined(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.channels[t.channel]
	if c == nil {
		c = h.addChannel(t.channel)
		if h.cfg.First != nil {
			h.cfg.First(t.channel) // under the lock, so that First and Last keep their order
		}
	}
	c.topics = append(c.topics, t)
	t.common = c
	t.pinned = c.pinned
	if c.started {
		t.start(c.last)
	}
}

// left is the end of a topic on its shard.
func (h *Hub) left(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.channels[t.channel]
	for i, other := range c.topics {
		if other == t {
			last := len(c.topics) - 1
			c.topics[i], c.topics[last] = c.topics[last], nil
			c.topics = c.topics[:last]
			break
		}
	}
	if len(c.topics) > 0 || c.pinned {
		return
	}
	h.removeChannel(c)
	if h.cfg.Last != nil {
		h.cfg.Last(t.channel)
	}
}
