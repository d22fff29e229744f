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

// start begins to publish, by the window or by the rate, until stop is called.
func (t *talk) start() (stop func()) {
	if t.cfg.rate == 0 {
		t.loop.Post(func() {
			t.refill = true
			for range t.cfg.window {
				t.publish(time.Now())
			}
		})
		return func() {}
	}
	done := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		start, sent := time.Now(), 0
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			// A message's time runs from here, also if the loop comes to it late.
			now := time.Now()
			due := int(now.Sub(start).Seconds()*t.cfg.rate) - sent
			sent += due
			t.loop.Post(func() {
				for range due {
					t.publish(now)
				}
			})
		}
	}()
	return func() {
		if done != nil {
			close(done)
			<-over
			done = nil
		}
	}
}

// publish sends the next message on the channel whose turn it is.
func (t *talk) publish(now time.Time) {
	if t.failed != nil {
		return
	}
	t.channels[t.turn].publish(now)
	t.turn = (t.turn + 1) % len(t.channels)
	if t.underWay++; t.underWay > tooMany {
		t.fail(fmt.Errorf("%d messages are under way: they come in faster than they are delivered", t.underWay))
	}
}

// through takes note of the last delivery of a message that was published at then.
func (t *talk) through(then time.Time) {
	t.underWay--
	now := time.Now()
	if t.rec != nil {
		t.rec.took = append(t.rec.took, now.Sub(then))
	}
	if t.refill {
		t.publish(now)
	} else if t.underWay == 0 {
		t.look()
	}
}

// greet sends the first message of every channel that was not heard on yet.
func (t *talk) greet() {
	for i := range t.channels {
		if ch := &t.channels[i]; !ch.heard {
			ch.publisher.say([]byte(greeting))
		}
	}
}

// fail ends the run.
func (t *talk) fail(err error) {
	if t.failed == nil {
		t.failed = err
		t.look()
	}
}

func (t *talk) look() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// ask returns what f says on the loop.
func (t *talk) ask(f func() bool) (yes bool, err error) {
	answer := make(chan struct{})
	if !t.loop.Post(func() { yes, err = f(), t.failed; close(answer) }) {
		return false, netpoll.ErrClosed
	}
	<-answer
	return yes, err
}

// until waits for f, or for the failure of the run.
func (t *talk) until(what string, f func() bool) error {
	timeout := time.After(patience)
	for {
		if done, err := t.ask(f); done || err != nil {
			return err
		}
		select {
		case <-t.changed:
		case <-timeout:
			_, err := t.ask(func() bool {
				t.fail(fmt.Errorf("%s: not done after %s (%d of %d connected, %d messages under way)",
					what, patience, t.opened, len(t.clients), t.underWay))
				return false
			})
			return err
		}
	}
}
