//go:build linux

package measure

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program that is measured, with its children.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
}

// start runs a program until the test ends, and returns once it listens on the address.
func start(t *testing.T, addr, name string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // where Debian puts daemons
	}
	require.NoError(t, err, "%s is missing; make deps installs it", name)
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
	})
	require.Eventually(t, func() bool {
		var d net.Dialer
		c, err := d.DialContext(context.Background(), "tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 30*time.Second, 50*time.Millisecond, "%s does not listen on %s", name, addr)
	return &process{t, cmd}
}

// all are the ids of the process and of its children.
func (p *process) all() []string {
	id := strconv.Itoa(p.cmd.Process.Pid)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", id, id))
	require.NoError(p.t, err)
	return append(strings.Fields(string(children)), id)
}

// cpu is what all threads have taken so far.
func (p *process) cpu() time.Duration {
	var sum time.Duration
	for _, id := range p.all() {
		threads, err := filepath.Glob("/proc/" + id + "/task/*/schedstat")
		require.NoError(p.t, err)
		for _, file := range threads {
			text, err := os.ReadFile(file)
			require.NoError(p.t, err)
			ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			require.NoError(p.t, err)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// resident is the memory of all in bytes.
func (p *process) resident() float64 {
	sum := 0.0
	for _, id := range p.all() {
		text, err := os.ReadFile("/proc/" + id + "/statm")
		require.NoError(p.t, err)
		pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
		require.NoError(p.t, err)
		sum += pages * float64(os.Getpagesize())
	}
	return sum
}
