// Package pace starts things at instants that are fixed in advance: an open loop,
// in which a slow server does not slow the load down.
package pace

import (
	"context"
	"time"
)

// Schedule is one worker's part of evenly spaced starts: its k-th start is the
// run's start number Offset + k·Stride.
type Schedule struct {
	Start          time.Time
	Rate           float64 // starts per second of the whole run
	Offset, Stride int
}

// At returns the intended time of the worker's k-th start.
func (s Schedule) At(k int) time.Time { return s.Start.Add(s.After(k)) }

// After is At relative to Start.
func (s Schedule) After(k int) time.Duration {
	return time.Duration(float64(s.Offset+k*s.Stride) / s.Rate * float64(time.Second))
}

// Due returns how many of n starts are due at now.
func (s Schedule) Due(now time.Time, n int) int {
	elapsed := now.Sub(s.Start)
	if elapsed < 0 {
		return 0
	}
	// Estimated, then set right: After rounds to nanoseconds.
	k := (int(elapsed.Seconds()*s.Rate) - s.Offset) / s.Stride
	k = min(max(k, 0), n)
	for k < n && s.After(k) <= elapsed {
		k++
	}
	for k > 0 && s.After(k-1) > elapsed {
		k--
	}
	return k
}

// batch is how many starts one task makes at the most: the loop that runs it has
// answers to read in between.
const batch = 64

// Run makes n starts through post, which runs its argument on an event loop, and
// returns when all are made, ctx is done or post refuses. start is called on the
// loop, in order.
func Run(ctx context.Context, s Schedule, n int, post func(func()) bool, start func(k int, intended time.Time)) {
	ran := make(chan int, 1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next := 0; next < n; {
		timer.Reset(time.Until(s.At(next)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		from := next
		task := func() {
			if ctx.Err() != nil {
				ran <- from
				return
			}
			to := min(s.Due(time.Now(), n), from+batch)
			for k := from; k < to; k++ {
				start(k, s.At(k))
			}
			ran <- max(from, to)
		}
		if !post(task) {
			return
		}
		select {
		case next = <-ran:
		case <-ctx.Done():
			return
		}
	}
}
