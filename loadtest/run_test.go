//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/redistest"
)

func TestAgainstWsnode(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	r := load(t, "-a", "1000", "-c", "2000", "-w", "3", "-broadcasts", "4", "-broadcast-rate", "20", "-publish", n.publish, n.url)
	require.Zero(t, r.status, r.output())
	got := r.report
	require.True(t, got.OK)
	require.EqualValues(t, 3, got.Workers)
	require.EqualValues(t, 1000, got.Connected)
	require.EqualValues(t, 1000, got.Held)
	require.Zero(t, got.Failed+got.NotStarted+got.ClosedUnexpected+got.CloseFailed+got.Foreign)
	require.Equal(t, report.EchoCounts{Sent: 1000, OK: 1000}, got.Echo.EchoCounts)
	require.Equal(t, report.BroadcastCounts{Listeners: 1000, Expected: 4000, Delivered: 4000}, got.Broadcast.BroadcastCounts)
	for name, p := range map[string]report.Percentiles{
		"connect": got.Connect.Percentiles, "handshake": got.Handshake, "echo": got.Echo.Percentiles,
	} {
		require.EqualValues(t, 1000, p.Count, name)
		require.Positive(t, p.P50, name)
	}
	require.EqualValues(t, 4000, got.Broadcast.Count)
	require.InDelta(t, 2000, got.Connect.IntendedRate, 0.1)
	require.Positive(t, got.Connect.ActualRate)
	require.Positive(t, got.Generator.HeldBytes)
	require.Positive(t, got.Generator.CPUSeconds)
	for _, phase := range []string{"ramp planned=1000 rate=2000 workers=3", "echo connected=1000 failed=0", "broadcast connected=1000 failed=0", "close connected=1000 failed=0"} {
		require.Contains(t, r.stdout.String(), "phase: "+phase)
	}
	require.NotContains(t, r.stdout.String(), "phase: hold")
}

func TestTwoNodesJoinedByRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	a, b := startNode(t, "-broker", redis.URL), startNode(t, "-broker", redis.URL)
	r := load(t, "-a", "200", "-c", "1000", "-w", "2", "-broadcasts", "5", "-broadcast-rate", "50",
		"-publish", redis.URL+"?channel=broadcast", a.url, b.url)
	require.Zero(t, r.status, r.output())
	require.EqualValues(t, 1000, r.report.Broadcast.Delivered)
}

func TestNodesWithoutACommonBrokerArePublishedAtOneByOne(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	r := load(t, "-a", "100", "-broadcasts", "2", "-broadcast-rate", "50", "-close", "abort",
		"-publish", a.publish, "-publish", b.publish, a.url, b.url)
	require.Zero(t, r.status, r.output())
	require.EqualValues(t, 200, r.report.Broadcast.Delivered)
	require.Zero(t, r.report.Broadcast.Duplicated)
}

func TestIPv6Target(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, _ := f.startOn(t, "[::1]:0")
	r := load(t, "-a", "20", url)
	require.Zero(t, r.status, r.output())
	require.EqualValues(t, 20, r.report.Echo.OK)
}

func TestMessagesOfOthersAreForeign(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ctx, interrupt := context.WithCancel(context.Background())
	r, wait := start(ctx, t, "-a", "50", "-k", n.url)
	r.waitFor(t, "phase: hold connected=50")
	other := load(t, "-a", "10", "-broadcasts", "3", "-broadcast-rate", "50", "-publish", n.publish, n.url)
	require.Zero(t, other.status, other.output())
	resp, err := http.Post(n.publish, "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	resp.Body.Close()
	time.Sleep(200 * time.Millisecond) // what was published is on its way
	interrupt()
	r = wait()
	require.Zero(t, r.status, r.output())
	require.True(t, r.report.Interrupted)
	require.EqualValues(t, 50*4, r.report.Foreign)
}

func TestCtrlCInTheRampClosesAndReports(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-a", "100000", "-c", "200", "-w", "6", "-json", file, n.url)
	r.waitFor(t, "phase: ramp")
	time.Sleep(700 * time.Millisecond)
	// A terminal sends the signal to the whole group.
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &r.report))
	got := r.report
	require.True(t, got.Interrupted)
	require.Zero(t, got.WorkersLost)
	require.Positive(t, got.Connected)
	require.Equal(t, got.Connected, got.Held)
	require.Equal(t, got.Planned, got.Connected+got.Failed+got.NotStarted)
	require.Zero(t, got.ClosedUnexpected)
	require.Contains(t, r.stderr.String(), fmt.Sprintf("wsload: expected connected == planned, but it is %d\n", got.Connected))
}

func TestLostWorkerFailsItsShare(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, r := leaderProcess(t, "-a", "301", "-w", "3", "-hold", "1500ms", "-json", file, n.url)
	r.waitFor(t, "phase: hold connected=301")
	workers := children(t, cmd.Process.Pid)
	require.Len(t, workers, 3)
	require.NoError(t, syscall.Kill(workers[1], syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &r.report))
	got := r.report
	require.EqualValues(t, 1, got.WorkersLost)
	lost := got.Failures["worker.died"]
	require.Contains(t, []int64{100, 101}, lost)
	require.Equal(t, lost, got.Failed)
	require.Equal(t, 301-lost, got.Connected)
	require.Equal(t, report.EchoCounts{Sent: 301, OK: 301 - lost, Closed: lost}, got.Echo.EchoCounts)
	require.Contains(t, r.stderr.String(), "died: signal: killed; its ")
	require.Contains(t, r.stderr.String(), "wsload: expected workers_lost == 0, but it is 1\n")
}

func TestWorkersEndWithTheirLeader(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	cmd, r := leaderProcess(t, "-a", "20", "-w", "2", "-k", n.url)
	r.waitFor(t, "phase: hold connected=20")
	workers := children(t, cmd.Process.Pid)
	require.Len(t, workers, 2)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	for _, pid := range workers {
		gone(t, pid)
	}
}

func TestGeneratorThatFallsBehindSaysSo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	cmd, r := leaderProcess(t, "-a", "200", "-c", "200", "-w", "1", "-echo=false", n.url)
	r.waitFor(t, "phase: ramp")
	var worker int
	require.Eventually(t, func() bool {
		ids := children(t, cmd.Process.Pid)
		if len(ids) == 1 {
			worker = ids[0]
		}
		return worker != 0
	}, 5*time.Second, time.Millisecond)
	// Stopped for twice the schedule, the worker makes all its starts in the end,
	// but late.
	require.NoError(t, syscall.Kill(worker, syscall.SIGSTOP))
	time.Sleep(2 * time.Second)
	require.NoError(t, syscall.Kill(worker, syscall.SIGCONT))
	require.Error(t, cmd.Wait())
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
	require.Contains(t, r.stdout.String(), "200 of 200 connected")
	require.Contains(t, r.stderr.String(), "wsload: expected generator.behind == 0, but it is 1\n")
	require.Contains(t, r.stderr.String(), "the generator fell behind its own schedule")
}

func TestRefusedTargetIsOneLine(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	target := "ws://" + ln.Addr().String()
	ln.Close()
	for _, connections := range []string{"5", "50000"} {
		r := load(t, "-a", connections, target)
		require.Equal(t, exitFailed, r.status)
		require.Regexp(t, `wsload: target `+target+`: connection refused, \d+ of \d+ times\n$`, r.stderr.String())
		require.Equal(t, 1, strings.Count(r.stderr.String(), "wsload: "), r.stderr.String())
		require.NotContains(t, r.stdout.String(), "expected")
		require.GreaterOrEqual(t, r.report.Failures["dial.refused"], int64(5))
		require.Zero(t, r.report.Connected)
		require.NotEmpty(t, r.report.Samples)
	}
}

func TestUsageErrorsAreOneLine(t *testing.T) {
	const target, secured = "ws://127.0.0.1:1", "wss://127.0.0.1:1"
	empty, lines := writeFile(t, ""), writeFile(t, "{{.}}\n\n")
	for want, args := range map[string][]string{
		`no target: want wsload`:                                                {},
		`flag provided but not defined: -x`:                                     {"-x", target},
		`-a 0: want 1 to`:                                                       {"-a", "0", target},
		`-c 0: want`:                                                            {"-c", "0", target},
		`-c NaN: want`:                                                          {"-c", "NaN", target},
		`invalid value "many" for flag -a`:                                      {"-a", "many", target},
		`-w -1: want 0 to 4096`:                                                 {"-w", "-1", target},
		`-timeout 1ms: want`:                                                    {"-timeout", "1ms", target},
		`-hold 5s: -k already`:                                                  {"-k", "-hold", "5s", target},
		`"-k" comes after the target`:                                           {target, "-k"},
		`target "http://localhost": want ws://`:                                 {"http://localhost"},
		`target "ws://": want ws://`:                                            {"ws://"},
		`target "ws://localhost:70000": port 70000: want`:                       {"ws://localhost:70000"},
		`target "ws://no-such.invalid": resolve no-such.invalid`:                {"ws://no-such.invalid"},
		`-source x: "x": want auto`:                                             {"-source", "x", target},
		`60000 connections to 127.0.0.1:1: 1 source address(es)`:                {"-a", "60000", "-source", "127.0.0.1", target},
		`-echo-reply "pong": want the message once`:                             {"-echo-reply", "pong", target},
		`-message "{{.}} {{.}}": want the unique text at most once`:             {"-message", "{{.}} {{.}}", target},
		`-message "ping": want the unique text once`:                            {"-message", "ping", "-echo-reply", "{{.Unique}}", target},
		`-message "": want a message`:                                           {"-message", "", target},
		`-message "\xff": it is not UTF-8`:                                      {"-message", "\xff", target},
		`-message-file "x": -message is given too`:                              {"-message-file", "x", "-message", "ping", target},
		`-message-file: open /nonexistent`:                                      {"-message-file", "/nonexistent", target},
		`-message-file: ` + lines + `:2: "": want a message`:                    {"-message-file", lines, target},
		`-header "X Y: z": the name may have`:                                   {"-header", "X Y: z", target},
		`-header "X: a\r\nb": the value has a control character`:                {"-header", "X: a\r\nb", target},
		`-header "Sec-WebSocket-Protocol: x": wsload sets it: use -subprotocol`: {"-header", "Sec-WebSocket-Protocol: x", target},
		`-header "upgrade: h2c": wsload sets it`:                                {"-header", "upgrade: h2c", target},
		`"X" for flag -header: want 'Name: value'`:                              {"-header", "X", target},
		`"X: 2" for flag -header: X is there already`:                           {"-header", "X: 1", "-header", "X: 2", target},
		`-header "x: 2": x is there already`:                                    {"-header", "X: 1", "-header", "x: 2", target},
		`-header "authorization": -token sets it, or want -token-in query`:      {"-header", "authorization: Basic x", "-token", "t", target},
		`-subprotocol "a,b c": want names`:                                      {"-subprotocol", "a,b c", target},
		`-token-file "x": -token is given too`:                                  {"-token-file", "x", "-token", "t", target},
		`-token-file: open /nonexistent`:                                        {"-token-file", "/nonexistent", target},
		`-token-file "` + empty + `": it is empty`:                              {"-token-file", empty, target},
		`-token: a token is one word`:                                           {"-token", "a b", target},
		`-token: the token has characters that no subprotocol`:                  {"-token", "a=", "-token-in", "subprotocol", target},
		`-token-in "cookie": want header`:                                       {"-token-in", "cookie", target},
		`-ca: open /nonexistent`:                                                {"-ca", "/nonexistent", secured},
		`-ca "` + lines + `": no certificate in PEM form`:                       {"-ca", lines, secured},
		`-ca "x": -insecure takes any`:                                          {"-ca", "x", "-insecure", secured},
		`-ca "` + empty + `": it is empty`:                                      {"-ca", empty, secured},
		`-insecure: no target has wss://`:                                       {"-insecure", target},
		`-echo-size 10: want 64 to`:                                             {"-echo-size", "10", target},
		`-close "softly": want handshake or abort`:                              {"-close", "softly", target},
		`-broadcasts 3: want -publish too`:                                      {"-broadcasts", "3", target},
		`-publish "http://x/": want -broadcasts too`:                            {"-publish", "http://x/", target},
		`-publish "ftp://x/": want http://`:                                     {"-broadcasts", "1", "-publish", "ftp://x/", target},
		`-publish-password-file: open /nonexistent`:                             {"-publish-password-file", "/nonexistent", target},
		`-expect "conected == 1": the report has no "conected"`:                 {"-expect", "conected == 1", target},
		`-json "/nonexistent/r.json": no such file`:                             {"-json", "/nonexistent/r.json", target},
		`-html "/nonexistent/r.html": no such file`:                             {"-html", "/nonexistent/r.html", target},
		`-node-metrics "node": want http://host:port/metrics`:                   {"-node-metrics", "node", target},
		`-metrics "nowhere": address nowhere: missing port`:                     {"-metrics", "nowhere", target},
	} {
		var stdout, stderr buffer
		require.Equal(t, exitUsage, dispatch(context.Background(), args, &stdout, &stderr), want)
		require.Empty(t, stdout.String(), want)
		require.Contains(t, stderr.String(), "wsload: ")
		require.Contains(t, stderr.String(), want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

func TestPublisherThatIsNotThereIsFoundBeforeTheRamp(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:1/publish", "redis://127.0.0.1:1/0"} {
		var stdout, stderr buffer
		status := dispatch(context.Background(), []string{"-broadcasts", "1", "-publish", url, "ws://127.0.0.1:1"}, &stdout, &stderr)
		require.Equal(t, exitFailed, status)
		require.Empty(t, stdout.String())
		require.Regexp(t, `^wsload: -publish "`+url+`": .*connection refused\n$`, stderr.String())
	}
}
