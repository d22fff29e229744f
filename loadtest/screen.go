//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/wsfleet/wsfleet/loadtest/live"
)

// screen shows a run while it lasts: phases on standard output, in a form that
// programs may wait for; progress on standard error, redrawn on a terminal and a
// line each second elsewhere.
type screen struct {
	out, err io.Writer
	display  *live.Display // nil unless err is a terminal
	shared   bool          // out is a terminal too: its lines go through the display
	current  string        // phase
}

func newScreen(stdout, stderr io.Writer) *screen {
	s := &screen{out: stdout, err: stderr}
	if f := terminal(stderr); f != nil {
		s.display, s.shared = live.Open(f), terminal(stdout) != nil
	}
	return s
}

// terminal returns the terminal that w is, or nil. One that can't move its cursor
// is none here.
func terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return f
}

func (s *screen) interval() time.Duration {
	if s.display != nil {
		return 200 * time.Millisecond
	}
	return time.Second
}

// phase prints the line that announces a phase: "phase: hold connected=10000 …".
func (s *screen) phase(name string, detail string) {
	s.current = name
	line := fmt.Sprintf("phase: %s %s", name, detail)
	if s.display != nil && s.shared {
		s.display.Print(line)
		return
	}
	fmt.Fprintln(s.out, line)
}

// note prints what the user should know at once.
func (s *screen) note(text string) {
	if s.display != nil {
		s.display.Print("wsload: " + text)
		return
	}
	fmt.Fprintln(s.err, "wsload:", text)
}

// progress shows where the run stands.
func (s *screen) progress(status live.Status) {
	if s.display != nil {
		s.display.Show(status)
		return
	}
	fmt.Fprintln(s.err, live.Line(status))
}

// close wipes what is redrawn; the lines printed stay.
func (s *screen) close() {
	if s.display != nil {
		s.display.Close()
		s.display = nil
	}
}
