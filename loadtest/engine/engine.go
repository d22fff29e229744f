//go:build linux

// Package engine holds the WebSocket clients of one worker: one event loop, one
// slab of small client structs, no goroutine and no buffer per client.
package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/pace"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/server/netpoll"
)

const (
	// maxMessage is the largest message or frame that a client takes, in bytes.
	maxMessage = 1 << 20
	// maxHead is the largest answer to a handshake, in bytes.
	maxHead = 8 << 10
	// closeWait is how long a server may take for its part of the closing
	// handshake.
	closeWait = 5 * time.Second
)

// Config is one worker's part of a run. It travels as JSON.
type Config struct {
	Run    string `json:"run"`
	Seed   uint64 `json:"seed"`
	Total  int    `json:"total"` // connections of the whole run
	Offset int    `json:"offset"`
	Stride int    `json:"stride"` // this worker has the connections Offset, Offset+Stride, …

	Targets []Target      `json:"targets"`
	Rate    float64       `json:"rate"` // connections per second of the whole run
	Timeout time.Duration `json:"timeout_ns"`

	EchoRate  float64 `json:"echo_rate"` // requests per second of the whole run
	EchoSize  int     `json:"echo_size"` // bytes
	EchoReply string  `json:"echo_reply"`

	Broadcasts uint32  `json:"broadcasts"` // sequence numbers are below it
	CloseRate  float64 `json:"close_rate"` // of the whole run, per second
	Abort      bool    `json:"abort"`      // reset connections at the end
}

// Target is one address to connect to, with where to connect from.
type Target struct {
	URL     string         `json:"url"`
	Addr    netip.AddrPort `json:"addr"`
	Host    string         `json:"host"` // header
	Path    string         `json:"path"` // with the query
	Sources []netip.Addr   `json:"sources,omitempty"`
}

// Connections returns how many connections the worker has.
func (c *Config) Connections() int {
	return (c.Total - c.Offset + c.Stride - 1) / c.Stride
}

// Engine runs a worker's clients. All fields belong to the loop.
type Engine struct {
	cfg      Config
	loop     *netpoll.Loop
	echo     message.Echo
	requests [][]byte // by target: the handshake up to the value of its key
	clients  []client
	counts   report.Counts
	rng      *rand.Rand
	base     time.Time     // of client.since
	done     chan struct{} // closed when Run has returned

	scheduled bool               // the phase's schedule is not through yet
	waiting   int                // clients that owe something to the phase begun last
	stopPace  context.CancelFunc // of the schedule in progress
	start     time.Duration      // of it, since base

	out  []byte // scratch for what is sent
	want []byte // scratch for what must come
}

// New makes an engine that does nothing until Run.
func New(cfg Config) (*Engine, error) {
	reply, err := message.ParseTemplate(cfg.EchoReply)
	if err != nil {
		return nil, fmt.Errorf("echo reply %q: %w", cfg.EchoReply, err)
	}
	loop, err := netpoll.New(netpoll.Config{})
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, loop: loop,
		echo:     message.Echo{Run: cfg.Run, Seed: cfg.Seed, Size: cfg.EchoSize, Reply: reply},
		clients:  make([]client, cfg.Connections()),
		rng:      rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Offset))),
		base:     time.Now(),
		done:     make(chan struct{}),
		stopPace: func() {},
	}
	for i := range e.clients {
		e.clients[i].e, e.clients[i].index = e, uint32(i)
	}
	for _, t := range cfg.Targets {
		e.requests = append(e.requests, requestHead(t))
	}
	return e, nil
}

// Run serves the clients in the calling goroutine until Finish.
func (e *Engine) Run() error {
	defer close(e.done)
	return e.loop.Run()
}

// Ramp begins to connect, evenly spaced from at on. Like the methods below it is
// safe from any goroutine and returns at once.
func (e *Engine) Ramp(at time.Time) {
	e.loop.Post(func() { e.begin(unused, at, e.cfg.Rate, e.dial) })
}

// Echo begins the echo round: one request on every open connection.
func (e *Engine) Echo(at time.Time) {
	e.loop.Post(func() { e.begin(open, at, e.cfg.EchoRate, e.request) })
}

// Listen makes every open connection one that must get all broadcasts.
func (e *Engine) Listen() {
	e.loop.Post(func() {
		for i := range e.clients {
			if c := &e.clients[i]; c.state == open {
				c.flags |= listener
				e.counts.Broadcast.Listeners++
			}
		}
	})
}

// Close ends the connections, evenly spaced from at on. What is not connected or
// not answered yet is given up.
func (e *Engine) Close(at time.Time) {
	e.loop.Post(func() {
		e.counts.Held = e.counts.Open
		for i := range e.clients {
			e.clients[i].giveUp()
		}
		e.begin(open, at, e.cfg.CloseRate, e.leave)
	})
}

// begin starts a phase: start is called once, on schedule, for every client that
// is in state from now. Those that are not take no time of the schedule.
func (e *Engine) begin(from state, at time.Time, rate float64, start func(c *client, lag pacing)) {
	e.stopPace()
	e.start, e.scheduled = at.Sub(e.base), true
	var clients []uint32
	for i := range e.clients {
		if e.clients[i].state == from {
			clients = append(clients, uint32(i))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.stopPace = cancel
	s := pace.Schedule{Start: at, Rate: rate, Offset: e.cfg.Offset, Stride: e.cfg.Stride}
	go func() {
		pace.Run(ctx, s, len(clients), e.loop.Post, func(k int, intended time.Time) {
			start(&e.clients[clients[k]], pacing{intended.Sub(s.Start), time.Since(s.Start)})
		})
		e.loop.Post(func() {
			if ctx.Err() == nil {
				e.scheduled = false
			}
			cancel()
		})
	}()
}

// pacing is when a start was meant to be and when it is, since the schedule's.
type pacing struct{ intended, actual time.Duration }

// Progress is the state of a worker.
type Progress struct {
	report.Counts
	Done bool // nothing of the phase begun last is under way
}

// Snapshot returns the counts so far, without samples. The echo distribution is
// included on request. It reports false when the loop has ended.
func (e *Engine) Snapshot(withEcho bool) (Progress, bool) {
	return e.ask(func() Progress {
		p := Progress{Counts: e.counts.Copy(), Done: !e.scheduled && e.waiting == 0}
		p.Samples = nil
		if withEcho {
			_ = p.EchoLatency.Merge(e.counts.EchoLatency) // equal geometries
		}
		return p
	})
}

// Finish ends Run, with it the connections that are left, and returns all that
// was counted. published is how many broadcasts were tried, failed are those among
// them whose publishing reported failure: nobody is required to have got them.
func (e *Engine) Finish(published uint32, failed []uint32) *report.Counts {
	e.loop.Post(func() { e.stopPace() })
	e.loop.Stop()
	<-e.done
	e.tally(published, failed)
	return &e.counts
}

// ask runs f on the loop and waits for what it returns.
func (e *Engine) ask(f func() Progress) (Progress, bool) {
	answer := make(chan Progress, 1)
	if !e.loop.Post(func() { answer <- f() }) {
		return Progress{}, false
	}
	select {
	case p := <-answer:
		return p, true
	case <-e.done:
		return Progress{}, false
	}
}

// tally works out what each listener missed.
func (e *Engine) tally(published uint32, failed []uint32) {
	b := &e.counts.Broadcast
	b.Delivered = 0 // counted as they came until now, those of failed ones too
	confirmed := int64(published) - int64(len(failed))
	for i := range e.clients {
		c := &e.clients[i]
		if c.flags&listener == 0 {
			continue
		}
		got := c.seen.count()
		for _, sequence := range failed {
			if c.seen.has(sequence) {
				b.Unconfirmed++
				got--
			}
		}
		lost := confirmed - got
		b.Expected += confirmed
		b.Delivered += got
		b.Lost += lost
		if c.flags&lostPeer != 0 {
			b.LostClosed += lost
		}
		if lost > 0 || c.flags&affected != 0 {
			b.Affected++
		}
	}
}
