//go:build linux

package engine

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// backlogTime is how long after a stall the end of a connection is still one of
// its consequences: what the server has sent by then is read first.
const backlogTime = time.Second

// beginStall makes clients stop reading, and go on reading later.
func (e *Engine) beginStall(a scenario.Stall, at time.Time) {
	var clients []*client
	e.after(time.Until(at), func() {
		for i := range e.clients {
			if c := &e.clients[i]; c.state == open && c.chosen(a.Share) {
				clients = append(clients, c)
				c.flags |= stalled
				e.counts.Stall.Stalled++
				c.PauseReading()
			}
		}
		e.after(a.For, func() {
			for _, c := range clients {
				if c.flags&stalled != 0 {
					c.ResumeReading()
				}
			}
			e.after(backlogTime, func() {
				for _, c := range clients {
					c.flags &^= stalled
				}
			})
		})
	})
}
