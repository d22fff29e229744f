//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

func scenarioFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

func TestMistakesInAScenarioAreOneLine(t *testing.T) {
	const target = "ws://127.0.0.1:1"
	for _, c := range []struct {
		text string
		args []string
		want string
	}{
		{"", []string{}, "no scenario: want wsload run"},
		{"", []string{"/nonexistent.yaml"}, `scenario "/nonexistent.yaml": no such file or directory`},
		{"conections: 5", []string{"FILE"}, "s.yaml:1: conections: unknown key, did you mean connections?"},
		{"name: x", []string{"FILE"}, "no target: want"},
		{"name: x", []string{"FILE", "-a"}, `"-a" comes after the target`},
		{"name: x\nexpect:\n  - connected == 5\n  - conected == 5", []string{"FILE", target}, `s.yaml:4: expect[1]: the report has no "conected" (got "conected == 5")`},
		{"phases: [{storm: {share: 2}}]", []string{"FILE", target}, "s.yaml:1: phases[0].storm.share: want a share above 0, at most 1 (got 2)"},
		{"connections: 5", []string{"-a", "0", "FILE", target}, "-a 0: want 1 to"}, // the flag is to blame, not the file
		{"connections: 0", []string{"FILE", target}, "s.yaml:1: connections: want 1 to"},
		{"name: x", []string{"-w", "-1", "FILE", target}, "-w -1: want 0 to 4096"},
		{"name: x", []string{"-x", "FILE"}, "flag provided but not defined: -x (wsload run -help lists the flags)"},
		{"name: x", []string{"-echo", "FILE"}, "flag provided but not defined: -echo"}, // phases are the file's
		{
			"publish: {urls: ['http://127.0.0.1:1/publish?channel=a']}\nphases: [{broadcast: {channels: 2}}]",
			[]string{"FILE", target}, "channel a: want none, because the run has channels of its own",
		},
	} {
		file := scenarioFile(t, c.text)
		args := []string{"run"}
		for _, a := range c.args {
			args = append(args, strings.ReplaceAll(a, "FILE", file))
		}
		var stdout, stderr buffer
		require.Equal(t, exitUsage, dispatch(context.Background(), args, &stdout, &stderr), c.want)
		require.Empty(t, stdout.String(), c.want)
		require.Contains(t, stderr.String(), c.want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

func TestFlagsOverrideTheScenario(t *testing.T) {
	file := scenarioFile(t, `
targets: [ws://127.0.0.1:1, ws://127.0.0.1:2]
connections: 10
connect: {steps: [{rate: 1, for: 1s}, {rate: 2}]}
timeout: 5s
publish: {urls: [http://a/publish]}
phases: [broadcast: {}]
expect: [connected == 10]
`)
	c, err := ParseRunConfig([]string{
		"-a", "20", "-c", "7", "-schedule", "poisson", "-publish", "http://b/publish",
		"-expect", "connected >= 5", "-seed", "9", file, "ws://127.0.0.1:3",
	}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"ws://127.0.0.1:3"}, c.Targets)
	require.Equal(t, 20, c.Connections)
	require.Equal(t, scenario.Connect{Rate: 7, Schedule: scenario.Poisson}, c.Connect)
	require.Equal(t, 5*time.Second, c.Timeout)
	require.Equal(t, []string{"http://b/publish"}, c.Publish.URLs)
	require.Equal(t, []string{"connected == 10", "connected >= 5"}, c.Expect, "the file's and the flag's must both hold")
	require.EqualValues(t, 9, c.Seed)
}

// What flags describe can be kept as a file that makes the same run.
func TestFlagsAreOneWayToWriteAScenario(t *testing.T) {
	for _, args := range [][]string{
		{"ws://localhost:8765"},
		{"-a", "1000000", "-c", "1000", "-w", "8", "-k", "ws://localhost:8765"},
		{"-schedule", "poisson", "-echo-for", "30s", "-echo-rate", "200", "-hold", "5s", "-timeout", "3s", "ws://localhost:8765", "ws://localhost:8775"},
		{"-echo=false", "-broadcasts", "3", "-broadcast-channels", "4", "-publish", "http://x/publish", "-close", "abort", "-close-rate", "5", "-expect", "connected == 1", "ws://x"},
	} {
		var stdout, stderr buffer
		require.Zero(t, dispatch(t.Context(), append([]string{"-print-scenario"}, args...), &stdout, &stderr), stderr.String())
		fromFlags, err := ParseConfig(args, nil)
		require.NoError(t, err)
		fromFile, err := ParseRunConfig([]string{scenarioFile(t, stdout.String())}, nil)
		require.NoError(t, err, stdout.String())
		require.Equal(t, fromFlags.Scenario, fromFile.Scenario)
		require.Equal(t, fromFlags.expectations, fromFile.expectations)
	}
}

func TestRunsOfAScenarioReportItsPhases(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	file := scenarioFile(t, `
name: two phases
connections: 60
connect: {rate: 500, schedule: poisson}
publish: {urls: ["`+n.publish+`"]}
phases:
  - echo: {rate: 300, for: 1s}
    broadcast: {count: 5, rate: 10}
    hold: {for: 1s}
  - storm: {share: 0.5, within: 300ms}
    echo: {rate: 100, rounds: 1}
close: {how: abort}
`)
	r := load(t, "run", "-w", "2", file, n.url)
	require.Zero(t, r.status, r.output())
	r.waitFor(t, "phase: echo+broadcast+hold connected=60 failed=0")
	r.waitFor(t, "phase: echo+storm connected=60 failed=0")
	require.EqualValues(t, 300, r.report.Broadcast.Delivered)
	require.EqualValues(t, 30, r.report.Reconnect.OK)
	e := r.report.Echo
	require.EqualValues(t, 360, e.Sent+e.Skipped)
	require.Equal(t, e.Sent, e.OK+e.EchoCounts.Closed)
	var activities []string
	for _, s := range r.report.Schedules {
		activities = append(activities, s.Activity)
		require.Positive(t, s.Starts)
	}
	require.Equal(t, []string{"connect", "broadcast", "echo", "echo", "reconnect"}, activities)
	require.Contains(t, r.stdout.String(), "30 of 30 came back, 0 gave up")
}

// A worker that was stopped in the middle of an echo phase has caught up by its
// end: the run fails all the same, because for that time it measured itself.
func TestGeneratorThatWasStoppedDuringEchoSaysSo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	cmd, r := leaderProcess(t, "-a", "20", "-w", "1", "-echo-rate", "100", "-echo-for", "6s", n.url)
	r.waitFor(t, "phase: echo")
	workers := children(t, cmd.Process.Pid)
	require.Len(t, workers, 1)
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, syscall.Kill(workers[0], syscall.SIGSTOP))
	time.Sleep(2500 * time.Millisecond)
	require.NoError(t, syscall.Kill(workers[0], syscall.SIGCONT))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	require.Contains(t, r.stdout.String(), "600 of 600 right")
	require.Contains(t, r.stderr.String(), "wsload: expected generator.behind == 0, but it is 1\n")
	require.Contains(t, r.stderr.String(), "the generator fell behind its own schedule")
}
