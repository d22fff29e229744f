//go:build linux

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// admin is the node's URL of a path on its admin port.
func (n *node) admin(path string) string {
	base, _, _ := strings.Cut(n.publish, "/publish")
	return base + path
}

// What is seen of a run while it lasts: the points sum up to the totals, the node's
// own metrics are among them, and a node without any is a gap.
func TestTimelineOfARun(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	page := filepath.Join(t.TempDir(), "report.html")
	r := load(t, "-a", "600", "-c", "300", "-w", "2", "-broadcasts", "5", "-broadcast-rate", "5", "-publish", n.publish, "-hold", "2s",
		"-node-metrics", n.admin("/metrics"), "-node-metrics", n.admin("/nothing"), "-html", page, n.url)
	require.Zero(t, r.status, r.output())
	got := r.report
	require.GreaterOrEqual(t, len(got.Timeline), 3)
	var sum report.Counts
	var cpu float64
	peak := 0.0
	for _, p := range got.Timeline {
		sum.Started += p.Started
		sum.Connected += p.Connected
		sum.Echo.Sent += p.Echo.Sent
		sum.Echo.OK += p.Echo.OK
		sum.Broadcast.Delivered += p.Broadcast.Delivered
		cpu += p.Generator.CPU * p.Interval
		require.Len(t, p.Nodes, 2)
		require.Nil(t, p.Nodes[1])
		if use := p.Nodes[0]; use != nil {
			peak = max(peak, *use.Connections)
			require.Positive(t, *use.MemoryBytes)
		}
	}
	require.Equal(t, report.Counts{
		Started: 600, Connected: 600, Echo: report.EchoCounts{Sent: 600, OK: 600}, Broadcast: report.BroadcastCounts{Delivered: 3000},
	}, sum)
	require.EqualValues(t, 600, peak)
	require.InDelta(t, got.Generator.CPUSeconds, cpu, 0.001)
	last := got.Timeline[len(got.Timeline)-1]
	require.Zero(t, last.Open)
	require.Equal(t, "close", last.Phase)

	require.EqualValues(t, 600, got.Connect.Count)
	require.EqualValues(t, 600, got.Handshake.Count)
	require.EqualValues(t, 600, got.Echo.Count)
	require.EqualValues(t, 600, got.Echo.Service.Count)
	require.EqualValues(t, 3000, got.Broadcast.Count)

	require.Len(t, got.Nodes.List, 2)
	require.EqualValues(t, 600, got.Nodes.Connections)
	require.Zero(t, got.Nodes.List[0].ScrapesFailed)
	require.Equal(t, got.Nodes.List[1].Scrapes, got.Nodes.List[1].ScrapesFailed)
	require.Contains(t, got.Nodes.List[1].Error, "404")
	var names []string
	for _, p := range got.Phases {
		names = append(names, p.Name)
	}
	require.Equal(t, []string{"ramp", "echo", "broadcast", "hold", "close"}, names)

	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "wsload: 600 connections to "+n.url)
}

func TestMetricsOfARun(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ctx, interrupt := context.WithCancel(context.Background())
	r, wait := start(ctx, t, "-a", "100", "-k", "-metrics", "127.0.0.1:0", n.url)
	r.waitFor(t, "phase: hold connected=100")
	m := regexp.MustCompile(`metrics at (http://\S+)`).FindStringSubmatch(r.stderr.String())
	require.NotNil(t, m)
	var text string
	require.Eventually(t, func() bool {
		resp, err := http.Get(m[1])
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		text = string(b)
		return strings.Contains(text, `wsload_phase{phase="hold"} 1`)
	}, 20*time.Second, 50*time.Millisecond)
	for _, line := range []string{
		"wsload_connections 100", "wsload_connections_established_total 100", `wsload_echoes_total{outcome="ok"} 100`,
		"wsload_echo_seconds_count 100", "wsload_planned_connections 100",
		`wsload_connection_failures_total{class="refused",stage="dial"} 0`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
	}
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	out, err := check.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
	interrupt()
	require.Zero(t, wait().status, r.output())
	_, err = http.Get(m[1])
	require.Error(t, err, "the metrics outlive the run")
}

// A run on a terminal: the view is redrawn in place, phases stand above it, and in
// the end they and the summary are all there is.
func TestRunOnATerminal(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-a", "500", "-c", "500", "-k", "-broadcasts", "2", "-broadcast-rate", "10", "-publish", n.publish,
		"-node-metrics", n.admin("/metrics"), "-expect", "generator.behind >= 0", n.url)
	cmd.Env = append(os.Environ(), leaderVariable+"=1", "TERM=xterm-256color")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 110})
	require.NoError(t, err)
	defer master.Close()
	defer func() { _ = cmd.Process.Kill() }()
	screen := vt10x.New(vt10x.WithSize(110, 40))
	read := make(chan struct{})
	go func() {
		defer close(read)
		p := make([]byte, 4096)
		for {
			k, err := master.Read(p)
			_, _ = screen.Write(p[:k])
			if err != nil {
				return
			}
		}
	}()
	view := regexp.MustCompile(`(?m)^phase: ramp planned=500 .*
phase: echo connected=500 failed=0 *
phase: broadcast connected=500 failed=0 *
phase: hold connected=500 failed=0 *
wsload  hold  0:\d\d *
connections █+ 500 of 500 *
 +0 failed · 0 closed *
echo        500 of 500 right *
broadcast   1,000 of 1,000 delivered *
generator   \d+\.\d+ MiB · \d\.\d\d cores *
servers     \d+\.\d+ MiB · \d\.\d\d cores · 500 connections *$`)
	require.Eventually(t, func() bool { return view.MatchString(screen.String()) }, 30*time.Second, 20*time.Millisecond, "%s", screen)
	_, err = master.Write([]byte{3}) // Ctrl-C: the terminal's mode is as it was
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), "%s", screen)
	<-read
	end := screen.String()
	require.Contains(t, end, "phase: close connected=500 failed=0")
	require.Contains(t, end, "500 of 500 connected, 0 failed")
	require.NotContains(t, end, "█")
	require.True(t, screen.CursorVisible())
}

func TestCompareAndReportCommands(t *testing.T) {
	var stdout, stderr buffer
	command := func(args ...string) int {
		stdout, stderr = buffer{}, buffer{}
		return dispatch(context.Background(), args, &stdout, &stderr)
	}
	const a, b = "report/testdata/a.json", "report/testdata/b.json"
	require.Zero(t, command("compare", a, b), stderr.String())
	want, err := os.ReadFile("report/testdata/compare.txt")
	require.NoError(t, err)
	// The golden file has the names without their folder.
	require.Equal(t, string(want), strings.ReplaceAll(stdout.String(), "report/testdata/", ""))

	page := filepath.Join(t.TempDir(), "out.html")
	require.Zero(t, command("report", "-o", page, b), stderr.String())
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "<code>connected == planned</code>, but it is <strong>18997</strong>")

	none := filepath.Join(t.TempDir(), "none.json")
	other := filepath.Join(t.TempDir(), "other.json")
	require.NoError(t, os.WriteFile(other, []byte(`{"some": "thing"}`), 0o600))
	text := filepath.Join(t.TempDir(), "text.json")
	require.NoError(t, os.WriteFile(text, []byte(`hello`), 0o600))
	for want, args := range map[string][]string{
		"want wsload compare a.json b.json":               {"compare", a},
		"flag provided but not defined: -x":               {"compare", "-x", a, b},
		"none.json: no such file":                         {"compare", a, none},
		`not the JSON report of a run: it has no "run"`:   {"compare", other, b},
		"not the JSON report of a run: invalid character": {"report", "-o", page, text},
		"want wsload report -o report.html run.json":      {"report", a},
		`-o "/nonexistent/x.html": no such file`:          {"report", "-o", "/nonexistent/x.html", a},
	} {
		require.NotZero(t, command(args...), want)
		require.Contains(t, stderr.String(), want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		require.Empty(t, stdout.String())
	}
}

func TestReportSurvivesItsJSON(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	r := load(t, "-a", "50", "-node-metrics", n.admin("/metrics"), n.url)
	require.Zero(t, r.status, r.output())
	again, err := json.Marshal(r.report)
	require.NoError(t, err)
	var back report.Report
	require.NoError(t, json.Unmarshal(again, &back))
	require.Equal(t, r.report, back)
}
