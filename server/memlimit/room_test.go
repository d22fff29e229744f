package memlimit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fake lays out /proc and /sys as files.
func fake(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return root
}

const meminfo = "MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 900 kB\nActive(file): 60 kB\nInactive(file): 40 kB\nSReclaimable: 300 kB\n"

func TestTheTightestBoundCounts(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  Room
	}{
		"no control groups: the machine, its reclaimable slab not counted as free": {nil, Room{1000 << 10, 600 << 10}},
		"v2 without a limit": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "5\n",
		}, Room{1000 << 10, 600 << 10}},
		"v2, the parent is tighter": {map[string]string{
			"proc/self/cgroup":                 "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max":     "400000\n",
			"sys/fs/cgroup/a/b/memory.current": "100000\n",
			"sys/fs/cgroup/a/memory.max":       "300000\n",
			"sys/fs/cgroup/a/memory.current":   "250000\n",
			"sys/fs/cgroup/a/memory.stat":      "anon 1\nactive_file 20000\ninactive_file 10000\n",
		}, Room{300000, 80000}},
		"v1 under a hybrid hierarchy": {map[string]string{
			"proc/self/cgroup": "5:cpu:/x\n4:memory:/x\n0::/\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "200000\n",
			"sys/fs/cgroup/memory/x/memory.usage_in_bytes": "150000\n",
			"sys/fs/cgroup/memory/x/memory.stat":           "total_active_file 0\ntotal_inactive_file 30000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes":   "1\n",
		}, Room{200000, 80000}},
		"more used than allowed": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "100\n", "sys/fs/cgroup/a/memory.current": "120\n",
		}, Room{100, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"proc/meminfo": meminfo}
			for k, v := range c.files {
				files[k] = v
			}
			got, err := readIn(fake(t, files))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	require.InDelta(t, 0.4, Room{Limit: 1000, Free: 600}.Used(), 1e-9)
}

func TestThisMachine(t *testing.T) {
	room, err := Read()
	require.NoError(t, err)
	require.NotZero(t, room.Limit)
	require.Less(t, room.Used(), 1.0)
}

func TestMissingMeminfo(t *testing.T) {
	_, err := readIn(t.TempDir())
	require.ErrorContains(t, err, "proc/meminfo")
}
