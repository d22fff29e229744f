// Package live shows a run while it lasts: a few lines redrawn on a terminal, one
// line a second elsewhere.
package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// Status is where a run stands.
type Status struct {
	Phase   string
	Elapsed time.Duration
	Planned int64
	Rate    float64        // connections per second as intended
	Total   *report.Counts // all so far; no distributions are needed
	// Second is what the last whole second brought.
	Second report.Point
	// Required is how many deliveries are due by now: those listening times what
	// was published; 0 where clients come and go, so that nobody can say yet.
	Required int64
}

// Line writes the status in one line.
func Line(s Status) string {
	c := s.Total
	var b strings.Builder
	fmt.Fprintf(&b, "%7.1fs %-9s connected %d/%d", s.Elapsed.Seconds(), s.Phase, c.Open, s.Planned)
	if s.Second.Connected > 0 {
		fmt.Fprintf(&b, " +%.0f/s", perSecond(s.Second.Connected, s.Second.Interval))
	}
	fmt.Fprintf(&b, " failed %d", c.Failed)
	if n := c.Closed.Sum(); n > 0 {
		fmt.Fprintf(&b, " closed %d", n)
	}
	if c.Echo.Sent > 0 {
		fmt.Fprintf(&b, " | echo %d/%d", c.Echo.OK, c.Echo.Sent)
		if e := s.Second.Echo; e.Max > 0 {
			fmt.Fprintf(&b, " p50 %s p99 %s", figure.Seconds(e.P50), figure.Seconds(e.P99))
		}
	}
	if c.Broadcast.Listeners > 0 {
		fmt.Fprintf(&b, " | broadcast %d", c.Broadcast.Delivered)
		if s.Required > 0 {
			fmt.Fprintf(&b, "/%d", s.Required)
		}
	}
	return b.String()
}

func perSecond(n int64, interval float64) float64 {
	if interval <= 0 {
		return 0
	}
	return max(float64(n), 0) / interval
}
