//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

const (
	// dialing is how many connections are being made at the same time.
	dialing = 200
	// patience is how long anything may take: connecting, the first message of each
	// channel, the last deliveries.
	patience = 30 * time.Second
	// tick is how often messages are sent that are due by the rate.
	tick = time.Millisecond
	// greetEvery is how often a channel's first message is repeated until it comes:
	// the node's subscription takes effect when it has been confirmed.
	greetEvery = 300 * time.Millisecond
	// tooMany messages under way mean that the rate is more than comes through.
	tooMany = 200_000
)

// talk is a run. Its fields are the loop's, once it runs.
type talk struct {
	cfg      config
	loop     *netpoll.Loop
	clients  []client
	channels []channel
	padding  []byte // of every message

	text, frame []byte // being sent

	dialed, opened int
	greeted        int // channels that have been heard on
	turn           int // of the channel that is next
	underWay       int
	refill         bool // a message follows each one that is through
	rec            *recording
	failed         error
	changed        chan struct{} // holds a token when somebody may want to look
}

// recording is what has come since it began.
type recording struct {
	began      time.Time
	deliveries int
	took       []time.Duration // until the last delivery of each message
}

func newTalk(cfg config, loop *netpoll.Loop) *talk {
	t := &talk{
		cfg: cfg, loop: loop,
		clients:  make([]client, cfg.connections),
		channels: make([]channel, cfg.channels),
		padding:  make([]byte, cfg.size-numberSize),
		changed:  make(chan struct{}, 1),
	}
	for i := range t.padding {
		t.padding[i] = 'a' + byte(i%26)
	}
	for i := range t.clients {
		c, ch := &t.clients[i], &t.channels[i%cfg.channels]
		*c = client{t: t, channel: ch, number: i % cfg.channels}
		if ch.publisher == nil {
			ch.publisher = c
		}
		ch.members++
	}
	return t
}

// direct leads through the run. It says on w when the measured time begins and ends.
func (t *talk) direct(w io.Writer) (report, error) {
	t.loop.Post(func() {
		for range dialing {
			t.dial()
		}
	})
	if err := t.until("connect", func() bool { return t.opened == len(t.clients) }); err != nil {
		return report{}, err
	}
	for deadline := time.Now().Add(patience); ; {
		t.loop.Post(t.greet)
		time.Sleep(greetEvery)
		if all, err := t.ask(func() bool { return t.greeted == len(t.channels) }); all || err != nil {
			break // the greetings that were repeated are through, too
		} else if time.Now().After(deadline) {
			return report{}, errors.New("not every channel brings what is published on it")
		}
	}
	stop := t.start()
	defer stop()
	time.Sleep(t.cfg.warm)
	fmt.Fprintln(w, "phase: measure")
	t.loop.Post(func() { t.rec = &recording{began: time.Now()} })
	time.Sleep(t.cfg.last)
	var rec *recording
	var took time.Duration
	if _, err := t.ask(func() bool {
		rec, t.rec = t.rec, nil
		took = time.Since(rec.began)
		t.refill = false
		return true
	}); err != nil {
		return report{}, err
	}
	fmt.Fprintln(w, "phase: end")
	stop()
	if err := t.until("deliver everything", func() bool { return t.underWay == 0 }); err != nil {
		return report{}, err
	}
	return rec.report(took)
}

func (r *recording) report(d time.Duration) (report, error) {
	if len(r.took) == 0 {
		return report{}, errors.New("no message came through while it was measured")
	}
	slices.Sort(r.took)
	at := func(q float64) float64 { return r.took[int(q*float64(len(r.took)-1))].Seconds() }
	return report{Seconds: d.Seconds(), Published: len(r.took), Deliveries: r.deliveries, P50: at(0.5), P99: at(0.99)}, nil
}
