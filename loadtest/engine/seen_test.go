//go:build linux

package engine

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A million clients are a million of these: what is added here is paid for there.
func TestClientIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(client{}), uintptr(128))
}

func TestSeenAgreesWithAMap(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		spread := 1 + rng.Uint32N(200)
		var s seen
		reference, top := map[uint32]bool{}, uint32(0)
		for step := range uint32(2000) {
			n := step + rng.Uint32N(spread)
			first, behind := s.add(n)
			require.Equal(t, !reference[n], first, "seed %d, %d", seed, n)
			require.Equal(t, first && n+1 < top, behind, "seed %d, %d", seed, n)
			reference[n] = true
			top = max(top, n+1)
			require.EqualValues(t, len(reference), s.count(), "seed %d, after %d", seed, n)
		}
		for n := range uint32(2500) {
			require.Equal(t, reference[n], s.has(n), "seed %d, %d", seed, n)
		}
		for range 50 {
			low, high := rng.Uint32N(2400), rng.Uint32N(2400)
			var want int64
			for n := low; n < high; n++ {
				if reference[n] {
					want++
				}
			}
			require.Equal(t, want, s.countIn(low, high), "seed %d, [%d, %d)", seed, low, high)
		}
	}
}

func TestSeenInOrderAllocatesNothing(t *testing.T) {
	var s seen
	n := uint32(0)
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		s.add(n)
		n++
	}))
	require.EqualValues(t, n, s.count())
	require.EqualValues(t, 7, s.countIn(n-5, n+5)+s.countIn(10, 12))
	require.Nil(t, s.spill)
}

func TestSeenAcrossAGap(t *testing.T) {
	var s seen
	for _, n := range []uint32{0, 1, 64, 65, 66, 200} {
		first, behind := s.add(n)
		require.True(t, first)
		require.False(t, behind)
	}
	first, behind := s.add(2)
	require.True(t, first)
	require.True(t, behind)
	first, _ = s.add(64)
	require.False(t, first)
	require.EqualValues(t, 7, s.count())
}
