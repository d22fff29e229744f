package pace

import (
	"context"
	"time"
)

// batch is how many starts one task makes at the most: the loop that runs it has
// answers to read in between.
const batch = 64

// Run makes the starts of s through post, which runs its argument on an event loop,
// and returns when all are made, ctx is done or post refuses. start is called on
// the loop, in order, with the number of the start in this schedule and its
// intended time since the schedule's start.
func Run(ctx context.Context, s Schedule, post func(func()) bool, start func(k int, intended time.Duration)) {
	q := s.Begin()
	ran := make(chan struct{}, 1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !q.Ended() {
		timer.Reset(time.Until(s.Start.Add(q.Due())))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		// The task alone uses q until it says that it ran.
		task := func() {
			elapsed := time.Since(s.Start)
			for n := 0; n < batch && ctx.Err() == nil && !q.Ended() && q.Due() <= elapsed; n++ {
				k, intended := q.k, q.next
				q.Take()
				start(k, intended)
			}
			ran <- struct{}{}
		}
		if !post(task) {
			return
		}
		select {
		case <-ran:
		case <-ctx.Done():
			return
		}
	}
}
