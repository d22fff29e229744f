//go:build linux

// Package engine holds the WebSocket clients of one worker: one event loop, one
// slab of small client structs, no goroutine and no buffer per client.
package engine

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/pace"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/loadtest/secure"
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

// Engine runs a worker's clients. All fields belong to the loop.
type Engine struct {
	cfg      Config
	loop     *netpoll.Loop
	requests []request // by target
	clients  []client
	dialer   *secure.Dialer
	secured  []*secure.Conn // by client; nil if no target has TLS
	counts   report.Counts
	rng      *rand.Rand
	base     time.Time     // of client.since
	done     chan struct{} // closed when Run has returned

	phase     int                  // begun last
	schedules int                  // of the phase, not through yet
	waiting   int                  // clients that owe something to the phase
	stops     []context.CancelFunc // of the phase's schedules
	closing   bool                 // no client comes back any more

	echoing   echoing
	listening listening
	absent    absent
	resuming  *resuming // nil unless clients resume

	out   []byte // scratch for what is sent
	want  []byte // scratch for what must come
	plain []byte // scratch for what is decrypted
}

// New makes an engine that does nothing until Run.
func New(cfg Config) (*Engine, error) {
	loop, err := netpoll.New(netpoll.Config{})
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, loop: loop,
		clients: make([]client, cfg.Connections()),
		rng:     rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Offset))),
		base:    time.Now(),
		done:    make(chan struct{}),
	}
	if e.echoing.message, err = message.NewEcho(cfg.Run, cfg.Seed, 0, nil, "{{.}}"); err != nil {
		return nil, err
	}
	for i := range e.clients {
		e.clients[i].e, e.clients[i].index = e, uint32(i)
	}
	if cfg.Resume {
		e.resuming = newResuming(&cfg)
	}
	for _, t := range cfg.Targets {
		e.requests = append(e.requests, newRequest(t, &cfg.Handshake))
	}
	return e, e.prepareTLS()
}

// Run serves the clients in the calling goroutine until Finish.
func (e *Engine) Run() error {
	defer close(e.done)
	return e.loop.Run()
}

// Ramp begins to connect, from at on. Like the methods below it is safe from any
// goroutine and returns at once.
func (e *Engine) Ramp(at time.Time) {
	e.loop.Post(func() {
		s := e.schedule(at, e.cfg.Connect.Profile(), e.cfg.Connect.Schedule, 0)
		s.Offset, s.Stride = e.cfg.RampOffset, e.cfg.RampStride
		s.Count = len(e.clients)
		e.run(report.PaceKey(0, "connect"), s, func(k int, p pacing) { e.dial(&e.clients[k], p) })
	})
}

// Begin begins the activities of a phase. Broadcasts are the leader's: see Listen.
// Holding takes nothing.
func (e *Engine) Begin(number int, p scenario.Phase, at time.Time) {
	e.loop.Post(func() {
		e.stopSchedules()
		e.absent.lose = nil // which counted from the phase before
		e.phase = number
		if p.Echo != nil {
			e.beginEcho(number, *p.Echo, at)
		}
		if p.Churn != nil {
			e.beginChurn(number, *p.Churn, at)
		}
		if p.Storm != nil {
			e.beginStorm(number, *p.Storm, at)
		}
		if p.Stall != nil {
			e.beginStall(*p.Stall, at)
		}
	})
}

// Close ends the connections, evenly spaced from at on. What is not connected or
// not answered yet is given up.
func (e *Engine) Close(at time.Time) {
	e.loop.Post(func() {
		e.stopSchedules()
		e.closing = true
		e.counts.Held = e.counts.Open
		for i := range e.clients {
			e.clients[i].giveUp()
		}
		open := e.inState(open)
		s := e.schedule(at, pace.Constant(e.cfg.Close.Rate), scenario.Even, 0)
		s.Count = len(open)
		e.run("", s, func(k int, _ pacing) { e.leave(&e.clients[open[k]]) })
	})
}

// inState returns the clients that are in a state now. The others take no time of
// a schedule over these.
func (e *Engine) inState(s state) (list []uint32) {
	for i := range e.clients {
		if e.clients[i].state == s {
			list = append(list, uint32(i))
		}
	}
	return list
}

// schedule returns this worker's part of one, without its end.
func (e *Engine) schedule(at time.Time, p pace.Profile, kind string, phase int) pace.Schedule {
	return pace.Schedule{
		Start: at, Profile: p, Offset: e.cfg.Offset, Stride: e.cfg.Stride,
		Poisson: kind == scenario.Poisson, Seed: e.cfg.Seed + uint64(phase),
	}
}

// pacing is when a start was meant to be, since the engine's base.
type pacing struct{ intended time.Duration }

// run calls start for every instant of s. What became of it is kept under key,
// unless that is empty.
func (e *Engine) run(key string, s pace.Schedule, start func(k int, p pacing)) {
	ctx, cancel := context.WithCancel(context.Background())
	e.stops = append(e.stops, cancel)
	e.schedules++
	since := s.Start.Sub(e.base)
	var load loopLoad
	go func() {
		pace.Run(ctx, s, e.loop.Post, func(k int, intended time.Duration) {
			if key != "" {
				load.begin(e)
				e.counts.Paces.Of(key).Record(intended, time.Since(s.Start))
			}
			start(k, pacing{since + intended})
		})
		e.loop.Post(func() {
			e.schedules--
			if key != "" {
				load.note(e, key)
			}
		})
	}()
}

// loadSpan is the least time for which the load of a loop means anything.
const loadSpan = time.Second

// loopLoad is how busy the loop is from its begin on.
type loopLoad struct {
	from time.Time
	idle int64
}

func (l *loopLoad) begin(e *Engine) {
	if l.from.IsZero() {
		l.from, l.idle = time.Now(), e.loop.Stats().Idle.Load()
	}
}

// note keeps the share of the time for which the loop did not wait, unless that was
// too short to tell.
func (l *loopLoad) note(e *Engine, key string) {
	passed := time.Since(l.from)
	if l.from.IsZero() || passed < loadSpan {
		return
	}
	p := e.counts.Paces.Of(key)
	p.Busy = max(p.Busy, 1-float64(e.loop.Stats().Idle.Load()-l.idle)/float64(passed))
}

func (e *Engine) stopSchedules() {
	for _, stop := range e.stops {
		stop()
	}
	e.stops = nil
}

// after calls f on the loop once d has passed. The phase is not through before.
func (e *Engine) after(d time.Duration, f func()) {
	e.schedules++
	time.AfterFunc(d, func() {
		e.loop.Post(func() {
			e.schedules--
			f()
		})
	})
}

// Progress is the state of a worker.
type Progress struct {
	report.Counts
	Done bool // nothing of the phase begun last is under way
}

// Snapshot returns the counts so far, without samples. On request it takes the
// distributions of what came since they were taken last: they are the caller's
// from then on. It reports false when the loop has ended.
func (e *Engine) Snapshot(takeTimes bool) (Progress, bool) {
	return e.ask(func() Progress {
		p := Progress{Counts: e.counts.Copy(), Done: e.schedules == 0 && e.waiting == 0}
		p.Samples = nil
		if takeTimes {
			e.counts.TakeTimes(&p.Counts)
		}
		return p
	})
}

// Finish ends Run, with it the connections that are left, and returns all that
// was counted, less the distributions that snapshots have taken.
func (e *Engine) Finish(p Published) *report.Counts {
	e.loop.Post(e.stopSchedules)
	e.loop.Stop()
	<-e.done
	e.tally(p)
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
