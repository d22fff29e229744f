package access

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRateLetsThroughWhatItSays(t *testing.T) {
	r := newRate(100)
	through := 0
	for ms := range 10_000 { // 1000 tries a second for 10 s
		if _, ok := r.take(time.Duration(ms) * time.Millisecond); ok {
			through++
		}
	}
	require.InDelta(t, 100+10*100, through, 2, "a second's worth at once, and then the rate")
}

// The refused of a storm are told to come back at the rate that is allowed.
func TestStormComesBackSpread(t *testing.T) {
	const perSecond, storm = 100, 2000
	r := newRate(perSecond)
	back := map[int]int{}
	for range storm {
		if wait, ok := r.take(0); !ok {
			back[int(wait/time.Second)]++
		}
	}
	require.Len(t, back, (storm-perSecond)/perSecond+1)
	for second, n := range back {
		require.LessOrEqual(t, n, perSecond, "in second %d", second)
	}
}

func TestSpreadIsBounded(t *testing.T) {
	r := newRate(1)
	for range 1000 {
		wait, _ := r.take(0)
		require.LessOrEqual(t, wait, maxSpread)
	}
}
