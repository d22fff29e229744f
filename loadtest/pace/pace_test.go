package pace

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorkersTogetherStartEvenly(t *testing.T) {
	start := time.Now()
	const rate, workers, total = 250.0, 3, 1000
	seen := map[time.Duration]bool{}
	for w := range workers {
		s := Schedule{Start: start, Rate: rate, Offset: w, Stride: workers}
		for k := 0; w+k*workers < total; k++ {
			require.Equal(t, time.Duration(w+k*workers)*4*time.Millisecond, s.At(k).Sub(start))
			seen[s.After(k)] = true
		}
	}
	require.Len(t, seen, total)
}

func TestDueAgreesWithAt(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, rate := range []float64{1, 3, 999, 1000, 7777.7, 1e6} {
		for _, stride := range []int{1, 7} {
			s := Schedule{Start: start, Rate: rate, Offset: stride - 1, Stride: stride}
			require.Zero(t, s.Due(start.Add(-time.Second), 50))
			for k := range 50 {
				require.Equal(t, k+1, s.Due(s.At(k), 50), "rate %v stride %d start %d", rate, stride, k)
				require.Equal(t, k, s.Due(s.At(k).Add(-time.Nanosecond), 50), "rate %v stride %d before start %d", rate, stride, k)
			}
			require.Equal(t, 50, s.Due(start.Add(time.Hour), 50))
		}
	}
}

func TestRunStartsAllInOrderAndNeverEarly(t *testing.T) {
	s := Schedule{Start: time.Now().Add(5 * time.Millisecond), Rate: 5000, Stride: 1}
	post := func(f func()) bool { f(); return true }
	var order []int
	Run(context.Background(), s, 300, post, func(k int, intended time.Time) {
		order = append(order, k)
		require.Equal(t, s.At(k), intended)
		require.False(t, time.Now().Before(intended), "start %d is early", k)
	})
	require.Len(t, order, 300)
	for k, got := range order {
		require.Equal(t, k, got)
	}
	require.GreaterOrEqual(t, time.Since(s.Start), s.After(299))
}

func TestRunCatchesUpInBoundedBatchesAfterAStall(t *testing.T) {
	s := Schedule{Start: time.Now().Add(-time.Second), Rate: 1000, Stride: 1}
	posted, started := 0, 0
	Run(context.Background(), s, 500, func(f func()) bool { posted++; f(); return true },
		func(int, time.Time) { started++ })
	require.Equal(t, 500, started)
	require.Equal(t, (500+batch-1)/batch, posted)
}

func TestRunEndsWithItsContextAndItsLoop(t *testing.T) {
	s := Schedule{Start: time.Now(), Rate: 0.001, Stride: 1}
	ctx, cancel := context.WithCancel(context.Background())
	started := 0
	time.AfterFunc(20*time.Millisecond, cancel)
	Run(ctx, s, 10, func(f func()) bool { f(); return true }, func(int, time.Time) { started++ })
	require.Equal(t, 1, started)
	Run(context.Background(), s, 10, func(func()) bool { return false }, func(int, time.Time) { t.Error("ran on a loop that has ended") })
}
