//go:build linux

package main

import (
	"fmt"
	"time"
)

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
