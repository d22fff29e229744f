package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lateStart is how long after its time a start counts as late: more than what a
// busy machine's scheduler takes.
const lateStart = 500 * time.Millisecond

// saturated is the share of the time from which on a worker that never pauses
// cannot tell the server's delays from its own.
const saturated = 0.98

// Pace holds a schedule's plan against what became of it. Times are since the
// start of the schedule.
type Pace struct {
	Starts   int64         `json:"starts"`
	Intended time.Duration `json:"intended_ns"` // intended time of the last start made
	Actual   time.Duration `json:"actual_ns"`   // when it was made
	WorstLag time.Duration `json:"worst_lag_ns"`
	Late     int64         `json:"late"` // starts made more than lateStart after their time
	// Sent is when the last echo request was sent, those that had to wait for the
	// answer before them included; 0 for other activities.
	Sent time.Duration `json:"sent_ns"`
	Busy float64       `json:"busy"` // share of the time for which the busiest worker had no pause
}

// Record notes that a start meant for intended was made at actual.
func (p *Pace) Record(intended, actual time.Duration) {
	p.Starts++
	p.Intended = max(p.Intended, intended)
	p.Actual = max(p.Actual, actual)
	p.WorstLag = max(p.WorstLag, actual-intended)
	if actual-intended > lateStart {
		p.Late++
	}
}

// Merge adds the starts of o to the same schedule.
func (p *Pace) Merge(o Pace) {
	p.Starts += o.Starts
	p.Intended = max(p.Intended, o.Intended)
	p.Actual = max(p.Actual, o.Actual)
	p.WorstLag = max(p.WorstLag, o.WorstLag)
	p.Late += o.Late
	p.Sent = max(p.Sent, o.Sent)
	p.Busy = max(p.Busy, o.Busy)
}

// tolerance is how late a start may be: a twentieth of the schedule, or what a busy
// machine may cost.
func (p Pace) tolerance() time.Duration { return max(lateStart, p.Intended/20) }

// Behind reports whether the generator failed its own schedule: the last start
// came too late.
func (p Pace) Behind() bool { return p.Actual-p.Intended > p.tolerance() }

// measuresItself reports whether the times since the intended starts are the
// generator's own: it had no pause, or it fell far behind with many starts and
// caught up only later.
func (p Pace) measuresItself() bool {
	return p.Busy >= saturated || p.WorstLag > 2*p.tolerance() && p.Late > p.Starts/20
}

// Paces are those of a run's schedules, by PaceKey.
type Paces map[string]*Pace

// PaceKey names the schedule of an activity. Phase 0 is the ramp.
func PaceKey(phase int, activity string) string { return fmt.Sprintf("%d.%s", phase, activity) }

// Of returns the pace of a schedule, a new one if there is none yet.
func (p *Paces) Of(key string) *Pace {
	if *p == nil {
		*p = Paces{}
	}
	if (*p)[key] == nil {
		(*p)[key] = &Pace{}
	}
	return (*p)[key]
}

func (p *Paces) merge(o Paces) {
	for key, pace := range o {
		p.Of(key).Merge(*pace)
	}
}

func (p Paces) copy() Paces {
	c := Paces{}
	for key, pace := range p {
		*c.Of(key) = *pace
	}
	return c
}

// Rates holds the intended rate beside the actual one, both per second.
type Rates struct {
	IntendedRate float64 `json:"intended_rate"`
	ActualRate   float64 `json:"actual_rate"`
	WorstLag     float64 `json:"worst_lag"`
	LateStarts   int64   `json:"late_starts"` // by more than half a second
	Busy         float64 `json:"busy"`        // share of the time for which the busiest worker had no pause
	Behind       bool    `json:"behind"`
}

// Schedule is what became of the schedule of one activity.
type Schedule struct {
	Phase    int    `json:"phase"` // 0 for the ramp
	Activity string `json:"activity"`
	Starts   int64  `json:"starts"`
	Rates
}

// schedules lists them in the order of the phases.
func (p Paces) schedules() []Schedule {
	list := make([]Schedule, 0, len(p))
	for key, pace := range p {
		number, activity, _ := strings.Cut(key, ".")
		phase, _ := strconv.Atoi(number)
		list = append(list, Schedule{phase, activity, pace.Starts, judged(activity, *pace)})
	}
	slices.SortFunc(list, func(a, b Schedule) int {
		if a.Phase != b.Phase {
			return a.Phase - b.Phase
		}
		return strings.Compare(a.Activity, b.Activity)
	})
	return list
}

// rates are those of all schedules of an activity together.
func (p Paces) rates(activity string) Rates {
	var paces []Pace
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if strings.HasSuffix(key, "."+activity) {
			paces = append(paces, *p[key])
		}
	}
	return judged(activity, paces...)
}

// judged combines the paces of an activity. Echo requests are there for their times,
// so more is asked of their schedules.
func judged(activity string, paces ...Pace) Rates {
	r := combine(paces...)
	r.Behind = r.Behind || activity == "echo" && slices.ContainsFunc(paces, Pace.measuresItself)
	return r
}

// combine takes the starts after each schedule's first, over the time they took. A
// server whose answers are waited for makes the actual rate less than the intended
// one, but does not make the generator behind.
func combine(paces ...Pace) (r Rates) {
	var starts int64
	var intended, actual time.Duration
	for _, p := range paces {
		r.WorstLag = max(r.WorstLag, p.WorstLag.Seconds())
		r.LateStarts += p.Late
		r.Busy = max(r.Busy, p.Busy)
		r.Behind = r.Behind || p.Behind()
		if p.Starts > 1 && p.Intended > 0 {
			starts += p.Starts - 1
			intended += p.Intended
			actual += max(p.Actual, p.Sent, time.Microsecond)
		}
	}
	if starts > 0 {
		r.IntendedRate = float64(starts) / intended.Seconds()
		r.ActualRate = float64(starts) / actual.Seconds()
	}
	return r
}
