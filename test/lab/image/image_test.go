package image

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/proc"
	"github.com/wsfleet/wsfleet/test/lab/progress"
)

func requireRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("building an image needs root: run the tests with sudo")
	}
}

func TestTheRecipe(t *testing.T) {
	require.Regexp(t, "^[0-9a-f]{12}$", Key())
	require.Equal(t, Key(), Key())
	require.Subset(t, Packages(), []string{
		"systemd", "openssh-server", "sudo", "python3", "python3-apt", "nftables",
		"haproxy", "nginx", "redis-server", "prometheus", "prometheus-node-exporter",
	})
	for _, name := range Packages() {
		require.Regexp(t, `^[a-z0-9][a-z0-9.+-]+$`, name)
	}
	require.NoError(t, exec.Command("sh", "-n", "finish.sh").Run())
}

// fakeDebootstrap puts a script in debootstrap's place.
func fakeDebootstrap(t *testing.T, script string) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "debootstrap"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func quiet() *progress.Printer { return progress.New(io.Discard, "image") }

func TestAnInterruptedBuildLeavesNothing(t *testing.T) {
	requireRoot(t)
	dir := t.TempDir()
	// It mounts and forks as the real one does, and ignores the request to end.
	fakeDebootstrap(t, `trap "" TERM INT
for last; do :; done
mkdir -p "$last/proc" && mount -t proc proc "$last/proc" && (sleep 61.5 &) ; : >`+dir+`/started; sleep 61.5`)
	c := Cache{Dir: filepath.Join(dir, "cache")}
	ctx, cancel := context.WithCancel(t.Context())
	built := make(chan error, 1)
	go func() {
		_, err := c.Build(ctx, quiet())
		built <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(dir + "/started"); return err == nil }, 5*time.Second, 10*time.Millisecond)
	_, ok := c.Find()
	require.False(t, ok)
	cancel()
	select {
	case err := <-built:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(5 * time.Second):
		t.Fatal("the build does not end")
	}
	_, ok = c.Find()
	require.False(t, ok)
	require.Empty(t, c.Abandoned())
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), dir)
	require.False(t, runs("sleep\x0061.5\x00"), "its children must be gone")
}

// runs says whether a process has exactly this command line.
func runs(command string) bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if text, err := os.ReadFile(path); err == nil && string(text) == command {
			return true
		}
	}
	return false
}

func TestAFailedBuildSaysWhy(t *testing.T) {
	requireRoot(t)
	fakeDebootstrap(t, "echo 'I: Retrieving InRelease'\necho 'E: Failed getting release file' >&2\nexit 1\n")
	c := Cache{Dir: t.TempDir()}
	_, err := c.Build(t.Context(), quiet())
	require.ErrorContains(t, err, "debootstrap: exit status 1: E: Failed getting release file (log: "+c.Dir+"/build.log)")
	require.Empty(t, c.Abandoned())
}

func TestWhatAKilledBuildLeftIsCleaned(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	left := filepath.Join(c.Dir, buildingPrefix+"123", "root", "etc")
	require.NoError(t, os.MkdirAll(left, 0o755))
	lock, err := c.lock()
	require.NoError(t, err)
	require.NoError(t, c.Clean())
	require.DirExists(t, left, "a build that runs is left alone")
	require.Empty(t, c.Abandoned())
	lock.Close()

	require.Len(t, c.Abandoned(), 1)
	require.NoError(t, c.Clean())
	require.Empty(t, c.Abandoned())
	require.NoDirExists(t, left)
	require.NoError(t, Cache{Dir: filepath.Join(c.Dir, "none")}.Clean())
}

func TestAnImageInUseIsNotRemoved(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	require.NoError(t, os.MkdirAll(c.Path(), 0o755))
	use, err := c.Use()
	require.NoError(t, err)
	err = c.Remove()
	require.ErrorIs(t, err, proc.ErrLocked)
	require.ErrorContains(t, err, "in use by a lab")
	_, ok := c.Find()
	require.True(t, ok)
	use.Close()
	require.NoError(t, c.Remove())
	require.NoDirExists(t, c.Dir)
	require.NoError(t, c.Remove())
}

func TestTheProxyOfAptIsUsed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "apt-config"), []byte("#!/bin/sh\necho \"proxy='http://proxy.example:3142/'\"\n"), 0o755))
	t.Setenv("PATH", dir)
	t.Setenv("http_proxy", "")
	env := environment(t.Context())
	require.Equal(t, "http_proxy=http://proxy.example:3142/", env[len(env)-1])
	t.Setenv("http_proxy", "http://own.example/")
	require.NotContains(t, strings.Join(environment(t.Context()), "\n"), "proxy.example:3142")
}
