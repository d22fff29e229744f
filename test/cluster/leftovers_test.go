package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/place"
)

// requireNothingLeft looks for what a lab could leave behind with the machine's own
// tools, not with the lab's idea of itself.
func requireNothingLeft(t *testing.T, f *Fleet) {
	t.Helper()
	p, err := place.New(f.Lab, f.Home)
	require.NoError(t, err)
	for _, args := range [][]string{{"netns", "list"}, {"-o", "link", "show"}, {"-o", "addr", "show"}, {"route", "show"}} {
		out, err := exec.Command("ip", args...).CombinedOutput()
		require.NoError(t, err)
		require.NotContains(t, string(out), p.Prefix+"-", "ip %v", args)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var running strings.Builder
	for _, c := range commands {
		b, _ := os.ReadFile(c)
		running.WriteString(strings.ReplaceAll(string(b), "\x00", " ") + "\n")
	}
	for _, path := range []string{p.Run, p.State} {
		require.NotContains(t, string(mounts), path, "mounts")
		require.NotContains(t, running.String(), path, "processes")
		require.NoDirExists(t, path)
	}
	require.NoDirExists(t, p.Lab())
}
