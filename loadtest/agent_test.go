//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

var agentReady = regexp.MustCompile(`msg=ready listen=(\S+)`)

// testAgent is a real `wsload agent`.
type testAgent struct {
	address string
	cmd     *exec.Cmd
	log     *buffer
}

// startAgent runs an agent on a free port of loopback until the test ends. Its
// workers must be gone then.
func startAgent(t *testing.T, args ...string) *testAgent {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	return runAgent(t, exec.Command(exe, append([]string{"agent", "-listen", "127.0.0.1:0"}, args...)...))
}

func runAgent(t *testing.T, cmd *exec.Cmd) *testAgent {
	t.Helper()
	a := &testAgent{cmd: cmd, log: &buffer{}}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, leaderVariable+"=1")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	in := bufio.NewReader(stderr)
	for {
		line, err := in.ReadString('\n')
		_, _ = a.log.Write([]byte(line))
		require.NoError(t, err, a.log)
		if m := agentReady.FindStringSubmatch(line); m != nil {
			a.address = m[1]
			break
		}
	}
	go func() { _, _ = io.Copy(a.log, in) }()
	return a
}

// workers returns the agent's processes, once there are n.
func (a *testAgent) workers(t *testing.T, n int) (ids []int) {
	t.Helper()
	require.Eventually(t, func() bool {
		ids = children(t, a.cmd.Process.Pid)
		return len(ids) == n
	}, 20*time.Second, 10*time.Millisecond, "%d workers at %s, not %d\n%s", len(ids), a.address, n, a.log)
	return ids
}

func agentList(agents ...*testAgent) string {
	var list []string
	for _, a := range agents {
		list = append(list, a.address)
	}
	return strings.Join(list, ",")
}

// readReport reads what a leader in a process of its own has written.
func (r *result) readReport(t *testing.T, file string) report.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err, r.output())
	require.NoError(t, json.Unmarshal(b, &r.report))
	return r.report
}

func TestThreeAgents(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("open sesame\n"), 0o600))
	agents := []*testAgent{startAgent(t, "-token-file", token), startAgent(t, "-token-file", token), startAgent(t, "-token-file", token)}
	r := load(t, "-agents", agentList(agents...), "-agent-token-file", token, "-a", "1000", "-c", "2000", "-w", "2",
		"-broadcasts", "4", "-broadcast-rate", "20", "-publish", n.publish, n.url)
	require.Zero(t, r.status, r.output())
	got := r.report
	require.EqualValues(t, 6, got.Workers)
	require.EqualValues(t, 1000, got.Connected)
	require.EqualValues(t, 1000, got.Held)
	require.Zero(t, got.Failed+got.NotStarted+got.ClosedUnexpected+got.CloseFailed+got.Foreign)
	require.Equal(t, report.EchoCounts{Sent: 1000, OK: 1000}, got.Echo.EchoCounts)
	require.Equal(t, report.BroadcastCounts{Listeners: 1000, Expected: 4000, Delivered: 4000, AheadOfTime: got.Broadcast.AheadOfTime},
		got.Broadcast.BroadcastCounts)
	for name, p := range map[string]report.Percentiles{"connect": got.Connect.Percentiles, "handshake": got.Handshake, "echo": got.Echo.Percentiles} {
		require.EqualValues(t, 1000, p.Count, name)
	}
	require.EqualValues(t, 4000, got.Broadcast.Count)
	require.Len(t, got.Agents, 3)
	for i, planned := range []int64{334, 333, 333} {
		a := got.Agents[i]
		require.Equal(t, agents[i].address, a.Address)
		require.EqualValues(t, 2, a.Workers)
		require.Equal(t, planned, a.Planned)
		require.Empty(t, a.Lost)
		require.Positive(t, a.RoundTrip)
		require.LessOrEqual(t, max(a.ClockAhead, -a.ClockAhead), a.RoundTrip, "both ends have one clock")
		agents[i].workers(t, 0)
	}
}

func TestAgentThatIsKilledFailsItsShare(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a, b := startAgent(t), startAgent(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-agents", agentList(a, b), "-a", "301", "-w", "2", "-hold", "3s", "-json", file,
		"-broadcasts", "2", "-broadcast-rate", "50", "-publish", n.publish, "-expect", "generator.behind >= 0", n.url)
	r.waitFor(t, "phase: hold connected=301")
	workers := a.workers(t, 2)
	require.NoError(t, a.cmd.Process.Kill())
	for _, pid := range workers {
		gone(t, pid)
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	got := r.readReport(t, file)
	require.Equal(t, report.Classes{"agent.lost": 151}, got.Failures)
	require.EqualValues(t, 151, got.Failed)
	require.EqualValues(t, 150, got.Connected)
	require.EqualValues(t, 2, got.WorkersLost)
	require.EqualValues(t, 1, got.AgentsLost)
	require.NotEmpty(t, got.Agents[0].Lost)
	require.Empty(t, got.Agents[1].Lost)
	require.Equal(t, report.EchoCounts{Sent: 301, OK: 150, Closed: 151}, got.Echo.EchoCounts)
	require.EqualValues(t, 300, got.Broadcast.Delivered)
	require.EqualValues(t, 302, got.Broadcast.Lost)
	require.Equal(t, 1, strings.Count(r.stderr.String(), " is lost: "), r.stderr.String())
	require.Regexp(t, "wsload: agent "+a.address+` is lost: (the connection ended|connection reset by peer); the 151 connections of its 2 worker\(s\) count as failed\n`,
		r.stderr.String())
	require.Contains(t, r.stderr.String(), "wsload: expected agents_lost == 0, but it is 1\n")
	b.workers(t, 0)
}

func TestWorkerThatDiesAtAnAgentIsNotTheAgent(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a, b := startAgent(t), startAgent(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-agents", agentList(a, b), "-a", "400", "-w", "2", "-hold", "1500ms", "-json", file, n.url)
	r.waitFor(t, "phase: hold connected=400")
	require.NoError(t, syscall.Kill(b.workers(t, 2)[0], syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	got := r.readReport(t, file)
	require.Equal(t, report.Classes{"worker.died": 100}, got.Failures)
	require.EqualValues(t, 1, got.WorkersLost)
	require.Zero(t, got.AgentsLost)
	require.Regexp(t, `wsload: worker [13] at `+b.address+` died: signal: killed; its 100 connections count as failed\n`, r.stderr.String())
}

func TestAgentThatIsToldToEndSaysSo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a, b := startAgent(t), startAgent(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-agents", agentList(a, b), "-a", "200", "-w", "2", "-hold", "1500ms", "-json", file, n.url)
	r.waitFor(t, "phase: hold connected=200")
	workers := a.workers(t, 2)
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, a.cmd.Wait(), a.log)
	for _, pid := range workers {
		gone(t, pid)
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	require.Equal(t, report.Classes{"agent.lost": 100}, r.readReport(t, file).Failures)
	require.Contains(t, r.stderr.String(), "wsload: agent "+a.address+" is lost: it was told to end; the 100 connections of its 2 worker(s) count as failed\n")
}

func TestAgentsWorkersEndWithTheLeader(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a := startAgent(t)
	cmd, r := leaderProcess(t, "-agents", a.address, "-a", "20", "-w", "2", "-k", n.url)
	r.waitFor(t, "phase: hold connected=20")
	a.workers(t, 2)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	a.workers(t, 0)
	// And the agent serves the next one.
	next := load(t, "-agents", a.address, "-a", "20", n.url)
	require.Zero(t, next.status, next.output())
}

// A stopped process answers no more, while its host's kernel still does.
func TestAgentThatHangsIsNoticed(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a, b := startAgent(t), startAgent(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-agents", agentList(a, b), "-a", "20", "-k", "-json", file, n.url)
	r.waitFor(t, "phase: hold connected=20")
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGSTOP))
	r.waitForError(t, "wsload: agent "+a.address+" is lost: no sign of life for 15s; the 10 connections")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	got := r.readReport(t, file)
	require.Equal(t, report.Classes{"agent.lost": 10}, got.Failures)
	require.EqualValues(t, 10, got.Connected)
	// Once it goes on, it finds its leader gone.
	require.NoError(t, a.cmd.Process.Signal(syscall.SIGCONT))
	a.workers(t, 0)
}

func TestTwoLeadersAtOneAgent(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a := startAgent(t)
	first, r := leaderProcess(t, "-agents", a.address, "-a", "50", "-k", n.url)
	r.waitFor(t, "phase: hold connected=50")
	second := load(t, "-agents", a.address, "-a", "30", "-w", "2", n.url)
	require.Zero(t, second.status, second.output())
	require.EqualValues(t, 30, second.report.Connected)
	require.Zero(t, second.report.Foreign)
	require.Contains(t, second.stderr.String(), "wsload: other leaders use the agents too: "+a.address+" has 50 connections\n")
	a.workers(t, 1)
	require.NoError(t, first.Process.Signal(syscall.SIGINT))
	require.NoError(t, first.Wait(), r.output())
	require.Contains(t, r.stdout.String(), "50 of 50 connected")
}
