package pace

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// instants returns all of a schedule, since its start.
func instants(s Schedule) (all []time.Duration) {
	for q := s.Begin(); !q.Ended(); q.Take() {
		all = append(all, q.Due())
	}
	return all
}

func TestWorkersTogetherStartEvenly(t *testing.T) {
	const workers, total = 3, 1000
	seen := map[time.Duration]bool{}
	for w := range workers {
		s := Schedule{Profile: Constant(250), Offset: w, Stride: workers, Count: (total - w + workers - 1) / workers}
		for k, at := range instants(s) {
			require.Equal(t, time.Duration(w+k*workers)*4*time.Millisecond, at)
			seen[at] = true
		}
	}
	require.Len(t, seen, total)
}

func TestStepsHoldTheirRateForTheirTime(t *testing.T) {
	p := Profile{{Rate: 10, For: 2 * time.Second}, {Rate: 100, For: time.Second}, {Rate: 1}}
	all := instants(Schedule{Profile: p, Stride: 1, Count: 125})
	require.Len(t, all, 125)
	within := func(from, to time.Duration) (n int) {
		for _, at := range all {
			if at >= from && at < to {
				n++
			}
		}
		return n
	}
	require.Equal(t, 20, within(0, 2*time.Second))
	require.Equal(t, 100, within(2*time.Second, 3*time.Second))
	require.Equal(t, 5, within(3*time.Second, 8*time.Second))
	for i, at := range all {
		require.InDelta(t, float64(i), p.Starts(at), 1e-6, "Starts is the reverse of At")
	}
}

func TestUntilEndsASchedule(t *testing.T) {
	all := instants(Schedule{Profile: Constant(100), Stride: 1, Count: math.MaxInt, Until: 500 * time.Millisecond})
	require.Len(t, all, 50)
	require.Less(t, all[49], 500*time.Millisecond)
}

// The gaps of a Poisson process have a standard deviation equal to their mean;
// those of an even schedule have none.
func TestPoissonGapsAreExponentialAlsoOverSeveralWorkers(t *testing.T) {
	const rate, each, workers = 1000.0, 20_000, 4
	counts := map[int]int{} // starts in each 10 ms of all workers
	for w := range workers {
		all := instants(Schedule{Profile: Constant(rate), Offset: w, Stride: workers, Poisson: true, Seed: 7, Count: each})
		var sum, squares float64
		last := time.Duration(0)
		for _, at := range all {
			gap := (at - last).Seconds()
			require.GreaterOrEqual(t, gap, 0.0)
			sum, squares, last = sum+gap, squares+gap*gap, at
			counts[int(at/(10*time.Millisecond))]++
		}
		mean := sum / each
		deviation := math.Sqrt(squares/each - mean*mean)
		require.InEpsilon(t, workers/rate, mean, 0.03, "worker %d", w)
		require.InEpsilon(t, mean, deviation, 0.03, "worker %d", w)
	}
	// Counts in equal spans of a Poisson process have their mean as variance.
	const spans = 1500
	var sum, squares float64
	for i := range spans {
		sum, squares = sum+float64(counts[i]), squares+float64(counts[i]*counts[i])
	}
	mean := sum / spans
	require.InEpsilon(t, 10, mean, 0.05)
	require.InEpsilon(t, mean, squares/spans-mean*mean, 0.15)
}

func TestPoissonFollowsFromItsSeedAndTheSteps(t *testing.T) {
	s := Schedule{Profile: Profile{{Rate: 10, For: 100 * time.Second}, {Rate: 100}}, Stride: 1, Poisson: true, Seed: 3, Count: 11_000}
	all := instants(s)
	require.Equal(t, all, instants(s))
	early := 0
	for _, at := range all {
		if at < 100*time.Second {
			early++
		}
	}
	require.InEpsilon(t, 1000, early, 0.1)
	require.InEpsilon(t, 100+100, all[len(all)-1].Seconds(), 0.05)
	s.Seed++
	require.NotEqual(t, all, instants(s))
}

func TestRunStartsAllInOrderAndNeverEarly(t *testing.T) {
	for _, poisson := range []bool{false, true} {
		s := Schedule{Start: time.Now().Add(5 * time.Millisecond), Profile: Constant(5000), Stride: 1, Count: 300, Poisson: poisson}
		want := instants(s)
		post := func(f func()) bool { f(); return true }
		var order []int
		Run(context.Background(), s, post, func(k int, intended time.Duration) {
			order = append(order, k)
			require.Equal(t, want[k], intended)
			require.GreaterOrEqual(t, time.Since(s.Start), intended, "start %d is early", k)
		})
		require.Len(t, order, 300)
		for k, got := range order {
			require.Equal(t, k, got)
		}
	}
}

func TestRunCatchesUpInBoundedBatchesAfterAStall(t *testing.T) {
	s := Schedule{Start: time.Now().Add(-time.Second), Profile: Constant(1000), Stride: 1, Count: 500}
	posted, started := 0, 0
	Run(context.Background(), s, func(f func()) bool { posted++; f(); return true },
		func(int, time.Duration) { started++ })
	require.Equal(t, 500, started)
	require.Equal(t, (500+batch-1)/batch, posted)
}

func TestRunEndsWithItsContextAndItsLoop(t *testing.T) {
	s := Schedule{Start: time.Now(), Profile: Constant(0.001), Stride: 1, Count: 10}
	ctx, cancel := context.WithCancel(context.Background())
	started := 0
	time.AfterFunc(20*time.Millisecond, cancel)
	Run(ctx, s, func(f func()) bool { f(); return true }, func(int, time.Duration) { started++ })
	require.Equal(t, 1, started)
	Run(context.Background(), s, func(func()) bool { return false }, func(int, time.Duration) { t.Error("ran on a loop that has ended") })
}
