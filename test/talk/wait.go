//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

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
