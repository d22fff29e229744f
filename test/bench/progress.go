package main

import (
	"fmt"
	"io"
	"time"
)

// progress says what is being measured, and how long the rest will take.
type progress struct {
	w       io.Writer
	now     func() time.Time
	start   time.Time
	planned time.Duration // of all steps
	done    time.Duration // of those, planned for what is over
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, now: time.Now, start: time.Now()}
}

func (p *progress) begin(what string) {
	fmt.Fprintf(p.w, "%s left  %s\n", clock(p.left()), what)
}

func (p *progress) end(planned time.Duration) { p.done += planned }

func (p *progress) note(text string) { fmt.Fprintln(p.w, text) }

// left is what is planned for the rest, as much longer or shorter as what is over has
// taken.
func (p *progress) left() time.Duration {
	rest := p.planned - p.done
	if p.done == 0 {
		return rest
	}
	return time.Duration(float64(rest) * float64(p.now().Sub(p.start)) / float64(p.done))
}

func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%2d:%02d", s/60, s%60)
}
