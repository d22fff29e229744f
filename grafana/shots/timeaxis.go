package shots

import (
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// timeAxis places times between left and right. Times are UTC.
type timeAxis struct {
	start, end  time.Time
	left, right float64
	elapsed     bool // labels count from start
}

func (a *timeAxis) x(t time.Time) float64 {
	return a.left + float64(t.Sub(a.start))/float64(a.end.Sub(a.start))*(a.right-a.left)
}

type timeTick struct {
	x     float64
	label string
}

// ticks are at round times, far enough apart for their labels.
func (a *timeAxis) ticks(fontSize float64) []timeTick {
	const space = 26
	span := a.end.Sub(a.start)
	var every time.Duration
	for _, every = range timeIncrements {
		width := svg.Width(a.label(a.end, every), fontSize) + space
		if float64(every)/float64(span)*(a.right-a.left) >= width {
			break
		}
	}
	first := a.start.Truncate(every)
	if a.elapsed {
		first = a.start
	}
	var ticks []timeTick
	for t := first; !t.After(a.end); t = t.Add(every) {
		if !t.Before(a.start) {
			ticks = append(ticks, timeTick{a.x(t), a.label(t, every)})
		}
	}
	return ticks
}

// timeIncrements are the distances between ticks that clocks and calendars have accustomed us to.
var timeIncrements = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day, 3640 * day,
}

const day = 24 * time.Hour

// label writes a time as exactly as ticks so far apart need it.
func (a *timeAxis) label(t time.Time, every time.Duration) string {
	if a.elapsed {
		s := int(t.Sub(a.start).Round(time.Second).Seconds())
		if a.end.Sub(a.start) >= time.Hour {
			return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
		}
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	format := "15:04"
	switch {
	case every >= 28*day:
		format = "2006-01"
	case every >= day:
		format = "01-02"
	case a.end.Sub(a.start) > day:
		format = "01-02 15:04"
	case every < time.Minute:
		format = "15:04:05"
	}
	return t.UTC().Format(format)
}
