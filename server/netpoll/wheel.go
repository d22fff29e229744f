//go:build linux

package netpoll

import "time"

// The wheel has one slot per tick. Timers further away than one turn stay in
// their slot until their turn has come.
const (
	// Tick is the resolution of timers. Heartbeats and timeouts are seconds;
	// a finer tick would only wake idle loops more often.
	Tick = 100 * time.Millisecond
	// wheelSlots is a power of two; one turn is 102.4 s, more than any usual
	// heartbeat, so that a timer is looked at once.
	wheelSlots = 1024
)

// wheel is a hashed timer wheel of intrusive lists: setting, moving and stopping
// a timer costs a few pointer writes and no allocation.
type wheel struct {
	now   uint32 // last tick that was fired
	count int    // timers set
	slots [wheelSlots]*Conn
}

// set arms the timer of c for d after clock. It is never due before the next
// tick, so that fire does not meet it again in the slot it works on.
func (w *wheel) set(c *Conn, clock, d time.Duration) {
	w.stop(c)
	due := uint32((clock + d + Tick - 1) / Tick)
	c.due = max(due, w.now+1)
	slot := &w.slots[c.due%wheelSlots]
	c.next, c.prev = *slot, nil
	if c.next != nil {
		c.next.prev = c
	}
	*slot = c
	w.count++
}

func (w *wheel) stop(c *Conn) {
	if c.due == 0 {
		return
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		w.slots[c.due%wheelSlots] = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.next, c.prev, c.due = nil, nil, 0
	w.count--
}

// fire calls OnTimer of every timer due by clock, visiting each slot once at the
// most.
func (w *wheel) fire(clock time.Duration) {
	tick := uint32(clock / Tick)
	if tick <= w.now {
		return
	}
	from := w.now + 1
	if tick-w.now > wheelSlots {
		from = tick - wheelSlots + 1
	}
	w.now = tick
	for t := from; ; t++ {
		w.fireSlot(t%wheelSlots, tick)
		if t == tick {
			return
		}
	}
}

// fireSlot starts again after each timer: the handler may have changed the list.
// A handler that sets its timer again lands in a later tick, so this ends.
func (w *wheel) fireSlot(slot, tick uint32) {
	for c := w.slots[slot]; c != nil; {
		if c.due > tick {
			c = c.next
			continue
		}
		w.stop(c)
		c.handler.OnTimer()
		c = w.slots[slot]
	}
}

// wait returns how long nothing is due, or -1 when no timer is set.
func (w *wheel) wait(clock time.Duration) time.Duration {
	if w.count == 0 {
		return -1
	}
	for t := w.now + 1; t < w.now+wheelSlots; t++ {
		if w.slots[t%wheelSlots] != nil {
			return max(0, time.Duration(t)*Tick-clock)
		}
	}
	return wheelSlots * Tick
}
