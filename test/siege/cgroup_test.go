//go:build linux

package siege

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryGroup is a control group that bounds memory, kernel memory included.
type memoryGroup struct {
	t              *testing.T
	dir            string
	usage, highest string // files, bytes
	events         string // file
}

// newMemoryGroup makes a group that ends with the test, or skips the test where this
// machine does not let it. limit is in bytes.
func newMemoryGroup(t *testing.T, limit int) *memoryGroup {
	t.Helper()
	g := &memoryGroup{t: t, dir: "/sys/fs/cgroup/memory/", usage: "memory.usage_in_bytes", highest: "memory.max_usage_in_bytes", events: "memory.oom_control"}
	limitFile := "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		g.dir, g.usage, g.highest, g.events = "/sys/fs/cgroup/", "memory.current", "memory.peak", "memory.events"
		limitFile = "memory.max"
		if err := os.WriteFile(g.dir+"cgroup.subtree_control", []byte("+memory"), 0); err != nil {
			t.Skipf("no control group with a memory limit can be made: %v", err)
		}
	}
	g.dir += "wsfleet-siege-" + strconv.Itoa(os.Getpid())
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skipf("no control group with a memory limit can be made: %v", err)
	}
	t.Cleanup(func() { // once the kernel has let go of the process
		require.Eventually(t, func() bool {
			err := os.Remove(g.dir)
			return err == nil || errors.Is(err, os.ErrNotExist)
		}, 10*time.Second, 10*time.Millisecond)
	})
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, limitFile), strconv.AppendInt(nil, int64(limit), 10), 0))
	return g
}

// wrap is for startNode.
func (g *memoryGroup) wrap() []string {
	return []string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, g.dir}
}

// used is what the group is charged for, in bytes, page cache included.
func (g *memoryGroup) used() float64 { return g.bytes(g.usage) }

// most is the highest that used was ever at.
func (g *memoryGroup) most() float64 { return g.bytes(g.highest) }

func (g *memoryGroup) bytes(file string) float64 {
	g.t.Helper()
	b, err := os.ReadFile(filepath.Join(g.dir, file))
	require.NoError(g.t, err)
	n, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	require.NoError(g.t, err)
	return n
}

// kills is how many processes of the group the kernel has killed for want of memory.
func (g *memoryGroup) kills() string {
	g.t.Helper()
	b, err := os.ReadFile(filepath.Join(g.dir, g.events))
	require.NoError(g.t, err)
	for line := range strings.Lines(string(b)) {
		if name, n, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" {
			return n
		}
	}
	require.Fail(g.t, "no oom_kill in "+g.events)
	return ""
}
