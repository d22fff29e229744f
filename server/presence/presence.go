// Package presence counts the connections of the whole fleet, and of each channel.
//
// Each node tells Redis what it has, every few seconds and only what changed; what it
// told expires unless it is told again, so a dead node is forgotten by itself. The
// counts are therefore approximate: as of some seconds ago.
//
//	client, err := broker.NewClient(cfg) // nil for a node on its own
//	p := presence.New(presence.Config{Node: "host:8765", Client: client}, snapshot)
//	go p.Run(ctx)
//	fleet, err := p.Fleet()                       // for metrics: never waits
//	counts, err := p.Channels(ctx, []string{"a"}) // for GET /channels?channel=a
//	page, more, err := p.List(ctx, "room-", 100)  // for GET /channels?prefix=room-&limit=100
package presence

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// defaultInterval is the time between two reports of a node; a quarter of it is
	// random, so that the nodes of a fleet that began together spread.
	defaultInterval = 5 * time.Second
	// expiryIntervals is how many reports in a row may fail before the fleet forgets
	// a node.
	expiryIntervals = 4
	// patience bounds the time that one report, or one question, waits for Redis.
	patience = 5 * time.Second
	// farewell is how long a node that ends takes to say so; else it expires.
	farewell = time.Second
)

// errNotYet says that the first report is still to come.
var errNotYet = errors.New("presence: nothing was reported yet")

// Snapshot returns how many connections this node has, and how many each of its
// channels has. It is called from a goroutine of Presence, which keeps the map, and
// for a node on its own by whoever asks.
type Snapshot func() (connections int64, channels map[string]int64)

// Config of a Presence.
type Config struct {
	// Node names this process for those who look into Redis; it need not be unique.
	Node string
	// Client reaches the Redis that the fleet shares, of any kind; it stays the
	// caller's. With nil this node is the fleet.
	Client redis.UniversalClient
	// Interval is the time between two reports, 5 s if 0. A node that has not
	// reported for four of them counts no more.
	Interval time.Duration
}

// Fleet is what all nodes have together.
type Fleet struct {
	Nodes       int   `json:"nodes"`
	Connections int64 `json:"connections"`
}

// Count is how many connections of the fleet a channel has.
type Count struct {
	Channel     string `json:"channel"`
	Connections int64  `json:"connections"`
}

// Presence tells the fleet of this node, and this node of the fleet. All methods are
// safe from any goroutine.
type Presence struct {
	client   redis.UniversalClient // nil: this node is the fleet
	snapshot Snapshot
	interval time.Duration
	keys     keys
	latest   atomic.Pointer[latest]

	reported reported // owned by Run
}

// latest is the result of the last attempt to speak with Redis.
type latest struct {
	fleet Fleet // as of the last attempt that succeeded
	err   error
}

// New returns the Presence of a node that has what snapshot says.
func New(cfg Config, snapshot Snapshot) *Presence {
	p := &Presence{client: cfg.Client, snapshot: snapshot, interval: cfg.Interval}
	if p.interval == 0 {
		p.interval = defaultInterval
	}
	// A restarted node is another one: what its predecessor told must not be taken for its own.
	p.keys = keysOf(cfg.Node + "-" + rand.Text()[:8])
	p.latest.Store(&latest{err: errNotYet})
	return p
}

// Run reports until ctx is done, and then that this node is gone. It outlasts the loss
// of Redis; what failed shows in Fleet and is told again with the next report.
func (p *Presence) Run(ctx context.Context) {
	if p.client == nil {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		p.exchange(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(p.interval*7/8 + mathrand.N(p.interval/4)):
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_ = p.leave(ctx) // or it expires
}

// exchange tells what this node has and asks what the others have.
func (p *Presence) exchange(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next := latest{fleet: p.latest.Load().fleet}
	if err := p.report(ctx); err != nil {
		next.err = fmt.Errorf("presence: report: %w", err)
	} else if fleet, err := p.total(ctx); err != nil {
		next.err = fmt.Errorf("presence: %w", err)
	} else {
		next.fleet = fleet
	}
	p.latest.Store(&next)
}

// Fleet returns what all nodes had a few seconds ago. It never waits. The error says
// why there is nothing newer than what is returned beside it.
func (p *Presence) Fleet() (Fleet, error) {
	if p.client == nil {
		connections, _ := p.snapshot()
		return Fleet{Nodes: 1, Connections: connections}, nil
	}
	l := p.latest.Load()
	return l.fleet, l.err
}
