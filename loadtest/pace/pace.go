// Package pace starts things at instants that are fixed in advance: an open loop,
// in which a slow server does not slow the load down.
package pace

import (
	"math"
	"math/rand/v2"
	"time"
)

// Step is a rate that holds for a while.
type Step struct {
	Rate float64 // starts per second of the whole run
	For  time.Duration
}

// Profile is how the rate of a run changes with time. The last step lasts as long
// as there is something to start, whatever its For.
type Profile []Step

// Constant is a profile of one rate.
func Constant(rate float64) Profile { return Profile{{Rate: rate}} }

// At returns when x starts of the whole run are due, since the schedule's start.
// x counts evenly spaced starts and need not be whole.
func (p Profile) At(x float64) time.Duration {
	var passed time.Duration
	for i, s := range p {
		if within := s.Rate * s.For.Seconds(); i < len(p)-1 && x >= within {
			x -= within
			passed += s.For
			continue
		}
		return passed + seconds(x/s.Rate)
	}
	return passed
}

// Starts is the reverse of At: how many starts of the whole run are due before d.
func (p Profile) Starts(d time.Duration) float64 {
	var x float64
	for i, s := range p {
		if i < len(p)-1 && d >= s.For {
			x += s.Rate * s.For.Seconds()
			d -= s.For
			continue
		}
		return x + s.Rate*max(d, 0).Seconds()
	}
	return x
}

// century stands for "never"; it leaves room for sums.
const century = 100 * 365 * 24 * time.Hour

func seconds(s float64) time.Duration {
	if s >= century.Seconds() {
		return century
	}
	return time.Duration(s * float64(time.Second))
}

// Schedule is one worker's part of the starts of a run.
type Schedule struct {
	Start   time.Time
	Profile Profile
	// The worker's k-th start is the run's start number Offset + k·Stride.
	Offset, Stride int
	// Poisson makes the gaps between starts exponential with the same mean, as
	// independent clients make them. The workers' parts are Poisson processes of
	// a Stride-th of the rate, so that together they are one of the whole rate.
	Poisson bool
	Seed    uint64 // of the gaps
	// The schedule ends after Count starts, or with the first one that is not
	// before Until if that is not 0.
	Count int
	Until time.Duration
}

// Sequence is a schedule in progress. No instant is stored: each follows from the
// one before.
type Sequence struct {
	s    Schedule
	k    int     // starts taken
	x    float64 // of Poisson: evenly spaced starts that the next one stands for
	next time.Duration
	rng  *rand.Rand
}

// Begin returns the sequence of the schedule's starts.
func (s Schedule) Begin() *Sequence {
	q := &Sequence{s: s}
	if s.Poisson {
		q.rng = rand.New(rand.NewPCG(s.Seed, uint64(s.Offset)))
	}
	q.find()
	return q
}

// find sets next from k.
func (q *Sequence) find() {
	x := float64(q.s.Offset + q.k*q.s.Stride)
	if q.rng != nil {
		q.x += q.rng.ExpFloat64() * float64(q.s.Stride)
		x = q.x
	}
	q.next = q.s.Profile.At(x)
	if q.k >= q.s.Count || q.s.Until > 0 && q.next >= q.s.Until {
		q.next = math.MaxInt64
	}
}

// Ended reports whether no start is left.
func (q *Sequence) Ended() bool { return q.next == math.MaxInt64 }

// Due is when the next start is intended, since the schedule's. It means nothing
// once the sequence has ended.
func (q *Sequence) Due() time.Duration { return q.next }

// Take goes on to the start after the next one.
func (q *Sequence) Take() {
	q.k++
	q.find()
}
