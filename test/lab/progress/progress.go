// Package progress tells a waiting person which phase runs and for how long: one line a phase,
// kept up to date on a terminal, repeated now and then in a log.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// repeat is how often an unfinished phase shows up in a log.
const repeat = 10 * time.Second

// Printer prints the phases of one job.
type Printer struct {
	out      io.Writer
	terminal bool
	job      string
	start    time.Time

	mu     sync.Mutex // guards the following
	phase  string
	detail string
	since  time.Time
	stop   chan struct{}
}

// New prints the phases of the named job to out.
func New(out io.Writer, job string) *Printer {
	f, ok := out.(*os.File)
	return &Printer{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), job: job, start: time.Now()}
}

// Phase ends the phase before and begins this one.
func (p *Printer) Phase(name string) {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.detail, p.since, p.stop = name, "", time.Now(), make(chan struct{})
	if p.terminal {
		p.printLocked("\r", "\033[K")
	} else {
		fmt.Fprintf(p.out, "%s: %s\n", p.job, name)
	}
	go p.tick(p.stop)
}

// Detail says how far the phase is.
func (p *Printer) Detail(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detail = fmt.Sprintf(format, args...)
}

// Done ends the last phase and prints the message with the time since New.
func (p *Printer) Done(format string, args ...any) {
	p.end()
	fmt.Fprintf(p.out, "%s: %s (%s)\n", p.job, fmt.Sprintf(format, args...), time.Since(p.start).Round(100*time.Millisecond))
}

// Stop ends the last phase without a message.
func (p *Printer) Stop() { p.end() }

func (p *Printer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		return
	}
	close(p.stop)
	p.stop = nil
	if p.terminal {
		p.printLocked("\r", "\033[K\n")
	}
}

func (p *Printer) tick(stop chan struct{}) {
	every := repeat
	if p.terminal {
		every = time.Second
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			p.mu.Lock()
			if p.stop == stop {
				if p.terminal {
					p.printLocked("\r", "\033[K")
				} else {
					p.printLocked("", "\n")
				}
			}
			p.mu.Unlock()
		}
	}
}

func (p *Printer) printLocked(before, after string) {
	detail := ""
	if p.detail != "" {
		detail = ": " + p.detail
	}
	fmt.Fprintf(p.out, "%s%s: %s%s, %s%s", before, p.job, p.phase, detail, time.Since(p.since).Round(time.Second), after)
}
