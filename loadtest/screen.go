//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// screen shows a run while it lasts: phases on standard output, in a form that
// programs may wait for; progress on standard error, in one line that changes on a
// terminal and a line each second elsewhere.
type screen struct {
	out, err io.Writer
	live     bool // err is a terminal
	dirty    bool // the live line shows
	current  action

	at        time.Duration // of the progress shown last
	connected int64         // then
}

func newScreen(stdout, stderr io.Writer) *screen {
	s := &screen{out: stdout, err: stderr}
	if f, ok := stderr.(*os.File); ok {
		s.live = term.IsTerminal(int(f.Fd()))
	}
	return s
}

func (s *screen) interval() time.Duration {
	if s.live {
		return 200 * time.Millisecond
	}
	return time.Second
}

// phase prints the line that announces a phase: "phase: hold connected=10000 …".
func (s *screen) phase(name action, detail string) {
	s.clear()
	s.current = name
	fmt.Fprintf(s.out, "phase: %s %s\n", name, detail)
}

// note prints what the user should know at once.
func (s *screen) note(text string) {
	s.clear()
	fmt.Fprintln(s.err, "wsload:", text)
}

// clear wipes the live line.
func (s *screen) clear() {
	if s.dirty {
		fmt.Fprint(s.err, "\r\x1b[K")
		s.dirty = false
	}
}

// progress shows where the run stands.
func (s *screen) progress(elapsed time.Duration, cfg Config, c *report.Counts, echo report.Percentiles, confirmed int64) {
	var b strings.Builder
	fmt.Fprintf(&b, "%7.1fs %-9s connected %d/%d", elapsed.Seconds(), s.current, c.Open, cfg.Connections)
	if dt := (elapsed - s.at).Seconds(); s.current == doRamp && dt > 0 {
		fmt.Fprintf(&b, " +%.0f/s", float64(c.Connected-s.connected)/dt)
	}
	s.at, s.connected = elapsed, c.Connected
	fmt.Fprintf(&b, " failed %d", c.Failed)
	if n := c.Closed.Sum(); n > 0 {
		fmt.Fprintf(&b, " closed %d", n)
	}
	if c.Echo.Sent > 0 {
		fmt.Fprintf(&b, " | echo %d/%d p50 %s p99 %s", c.Echo.OK, c.Echo.Sent, duration(echo.P50), duration(echo.P99))
	}
	if c.Broadcast.Listeners > 0 {
		fmt.Fprintf(&b, " | broadcast %d/%d", c.Broadcast.Delivered, c.Broadcast.Listeners*confirmed)
	}
	if s.live {
		fmt.Fprintf(s.err, "\r\x1b[K%s", b.String())
		s.dirty = true
		return
	}
	fmt.Fprintln(s.err, b.String())
}

// number prints whole numbers as such.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// duration prints seconds with three significant digits.
func duration(s float64) string {
	switch {
	case s == 0:
		return "0"
	case s < 0.001:
		return fmt.Sprintf("%.0fµs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.3gms", s*1e3)
	}
	return fmt.Sprintf("%.3gs", s)
}
