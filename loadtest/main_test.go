//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// leaderVariable makes the test program wsload, in a process of its own.
	leaderVariable = "WSLOAD_TEST_LEADER"
	// versionVariable makes it another version.
	versionVariable = "WSLOAD_TEST_VERSION"
)

// The leader starts its own program as workers: here that is the test program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerArgument {
		os.Exit(workerMain(os.Stdin, os.Stdout, os.Stderr))
	}
	if v := os.Getenv(versionVariable); v != "" {
		version = v
	}
	if os.Getenv(leaderVariable) != "" {
		os.Exit(dispatch(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	dir, err := os.MkdirTemp("", "wsload-test-")
	if err != nil {
		panic(err)
	}
	nodeBinary = filepath.Join(dir, "wsnode")
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

var (
	nodeBinary string
	buildNode  = sync.OnceValue(func() error {
		out, err := exec.Command("go", "build", "-o", nodeBinary, "../server").CombinedOutput()
		if err != nil {
			return fmt.Errorf("build wsnode: %w\n%s", err, out)
		}
		return nil
	})
	readyLine = regexp.MustCompile(`msg=ready listen=(\S+) admin=(\S+)`)
)

// node is a real wsnode.
type node struct {
	url     string
	publish string
	cmd     *exec.Cmd
}

// startNode runs a wsnode on free ports until the test ends.
func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	require.NoError(t, buildNode())
	return runNode(t, exec.Command(nodeBinary, append([]string{"-listen", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, args...)...))
}

func runNode(t *testing.T, cmd *exec.Cmd) *node {
	t.Helper()
	n := &node{cmd: cmd}
	stderr, err := n.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, n.cmd.Start())
	t.Cleanup(func() {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			n.url, n.publish = "ws://"+m[1]+"/ws", "http://"+m[2]+"/publish?channel=broadcast"
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return n
		}
	}
	t.Fatal("wsnode did not get ready")
	return nil
}

// buffer is an output that the test reads while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// result of a run of wsload.
type result struct {
	status         int
	stdout, stderr *buffer
	report         report.Report
}

// start runs wsload in the background; wait returns its result.
func start(ctx context.Context, t *testing.T, args ...string) (r *result, wait func() *result) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	r = &result{stdout: &buffer{}, stderr: &buffer{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A busy machine may slow the generator down: only the test about that
		// expects anything of it.
		own := []string{"-json", file, "-expect", "generator.behind >= 0"}
		if args[0] == "run" {
			own, args = append([]string{"run"}, own...), args[1:]
		}
		r.status = dispatch(ctx, append(own, args...), r.stdout, r.stderr)
	}()
	return r, func() *result {
		t.Helper()
		select {
		case <-done:
		case <-time.After(60 * time.Second):
			t.Fatalf("wsload does not end\n%s%s", r.stdout, r.stderr)
		}
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &r.report), "%s", r.stderr)
		return r
	}
}

func load(t *testing.T, args ...string) *result {
	t.Helper()
	_, wait := start(context.Background(), t, args...)
	return wait()
}

func (r *result) output() string { return r.stdout.String() + r.stderr.String() }

// waitFor waits until wsload has printed a line that begins with prefix.
func (r *result) waitFor(t *testing.T, prefix string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains("\n"+r.stdout.String(), "\n"+prefix) },
		30*time.Second, 5*time.Millisecond, "%q does not come\n%s", prefix, r.output())
}

// waitForError waits until wsload has said text on standard error.
func (r *result) waitForError(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(r.stderr.String(), text) },
		60*time.Second, 20*time.Millisecond, "%q does not come\n%s", text, r.output())
}

// children returns the ids of the processes that pid has started.
func children(t *testing.T, pid int) (ids []int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	require.NoError(t, err)
	for _, file := range tasks {
		b, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(b)) {
			var id int
			_, err := fmt.Sscan(field, &id)
			require.NoError(t, err)
			ids = append(ids, id)
		}
	}
	return ids
}

// leaderProcess runs wsload as a process of its own, whose workers the test can
// find.
func leaderProcess(t *testing.T, args ...string) (*exec.Cmd, *result) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), leaderVariable+"=1")
	// A group of its own, as a terminal gives it: see interrupt.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r := &result{stdout: &buffer{}, stderr: &buffer{}}
	cmd.Stdout, cmd.Stderr = r.stdout, r.stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, r
}

// gone waits until a process that is no child of the test has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(b, []byte(") Z "))
	}, 10*time.Second, 5*time.Millisecond, "process %d does not end", pid)
}
