package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestMemoryUsedSeesMemoryAndNotThePageCache(t *testing.T) {
	used, err := usedOf(map[string]int64{"MemTotal": 100, "MemFree": 40, "Buffers": 1, "Cached": 20, "Shmem": 5})
	require.NoError(t, err)
	require.EqualValues(t, 44, used)
	_, err = usedOf(map[string]int64{"MemTotal": 100})
	require.ErrorContains(t, err, "MemFree")

	before, err := memoryUsed()
	require.NoError(t, err)
	const size = 512 << 20
	p, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
	require.NoError(t, err)
	after, err := memoryUsed()
	require.NoError(t, unix.Munmap(p))
	require.NoError(t, err)
	require.InDelta(t, size, after-before, size/2, "others allocate, too")
}
