//go:build linux

package session

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// header of a masked text frame that announces so many bytes.
func announcing(n uint64) []byte {
	return frame.AppendHeader(nil, frame.Header{Final: true, Opcode: frame.Text, Masked: true, Length: n})
}

func TestAnnouncedLengthIsNotHeldBeforeItArrives(t *testing.T) {
	var b buffers
	kept := b.keep(nil, announcing(1<<20))
	require.LessOrEqual(t, cap(kept), 2*len(kept))
	kept = b.extend(kept, make([]byte, 10_000))
	require.LessOrEqual(t, cap(kept), 2*len(kept))
}

func TestRoomForTheRestOfAFrameIsMadeAtOnce(t *testing.T) {
	var b buffers
	first := append(announcing(64<<10), make([]byte, 60_000)...)
	kept := b.keep(nil, first)
	whole := b.extend(kept, make([]byte, 64<<10-60_000))
	require.Same(t, &kept[0], &whole[0])
	require.Equal(t, len(announcing(64<<10))+64<<10, cap(whole))
}

func TestLargeBufferIsNotPinnedByASmallRest(t *testing.T) {
	var b buffers
	large := append(make([]byte, 0, 64<<10), bytes.Repeat([]byte{1}, 64<<10)...)
	rest := b.keep(large, large[64<<10-3:])
	require.Equal(t, []byte{1, 1, 1}, rest)
	require.Less(t, cap(rest), 64)
	require.Len(t, b.free, 1)
}

func TestBuffersAreLentAgainTheSmallestThatFits(t *testing.T) {
	var b buffers
	for _, n := range []int{64 << 10, 8 << 10, 32 << 10} {
		b.give(make([]byte, n))
	}
	require.Equal(t, 32<<10, cap(b.take(16<<10)))
	require.Equal(t, 64<<10, cap(b.take(16<<10)))
	require.Equal(t, 16<<10, cap(b.take(16<<10)), "a new one")
	require.Len(t, b.free, 1)

	for range 2 * keepFree {
		b.give(make([]byte, keepScratch))
	}
	require.Len(t, b.free, keepFree)
	b.give(make([]byte, keepScratch+1))
	b.give(make([]byte, smallBuffer))
	require.Len(t, b.free, keepFree)
	require.Equal(t, keepScratch, cap(b.free[0]), "the smallest went")
}
