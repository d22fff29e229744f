package memlimit

import (
	"context"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMarksDoNotFlutter(t *testing.T) {
	tuner := &Tuner{marks: Marks{High: 0.9, Low: 0.8}}
	for _, step := range []struct {
		used float64
		want bool
	}{{0.85, false}, {0.91, true}, {0.89, true}, {0.81, true}, {0.79, false}, {0.85, false}} {
		tuner.judge(step.used)
		require.Equal(t, step.want, tuner.Short(), "%v", step.used)
	}
}

func TestSoftLimitFollowsTheRoom(t *testing.T) {
	require.EqualValues(t, 100+900, softLimit(Room{Limit: 4000, Free: 1000}, 100))
	require.EqualValues(t, 100, softLimit(Room{Limit: 4000}, 100))

	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	tuner, err := NewTuner(Marks{High: 0.99, Low: 0.98}, func() {})
	require.NoError(t, err)
	limit := debug.SetMemoryLimit(-1)
	require.Positive(t, limit)
	require.Less(t, limit, int64(tuner.Room().Limit))
	require.False(t, tuner.Short())
}

// What a burst allocated goes back to the system in the first quiet period.
func TestTrimmer(t *testing.T) {
	held := func() uint64 {
		return readMetric("/memory/classes/total:bytes") - readMetric("/memory/classes/heap/released:bytes")
	}
	letGo := 0
	trim := trimmer{letGo: func() { letGo++ }}
	trim.look()
	before := held()
	burst := make([][]byte, 64)
	for i := range burst {
		burst[i] = make([]byte, 1<<20)
	}
	trim.look()
	require.Greater(t, held(), before+48<<20, "in use")
	clear(burst)
	trim.look()
	require.Less(t, held(), before+16<<20, "given back")
	require.Equal(t, 1, letGo)

	collections := readMetric("/gc/cycles/forced:gc-cycles")
	trim.look()
	require.Equal(t, collections, readMetric("/gc/cycles/forced:gc-cycles"), "nothing more to do")
}

func TestRunEndsWithItsContext(t *testing.T) {
	tuner, err := NewTuner(Marks{High: 0.99, Low: 0.98}, func() {})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.NoError(t, tuner.Run(ctx))
}

func TestAStormHasTheMemoryLookedAtSooner(t *testing.T) {
	tuner, err := NewTuner(Marks{High: 0.99, Low: 0.98}, func() {})
	require.NoError(t, err)
	for range hurryAfter - 1 {
		require.False(t, tuner.Refuse())
	}
	require.Empty(t, tuner.hurry)
	for range 10 * hurryAfter { // nobody looks, and nobody waits for that
		tuner.Refuse()
	}
	require.Len(t, tuner.hurry, 1)
}
