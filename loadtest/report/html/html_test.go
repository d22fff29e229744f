package html

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/browser"
)

// example is the report of a run of so many seconds that had everything, also
// failures when told so.
func example(seconds int, failing bool) *report.Report {
	var timeline report.Timeline
	var total, times report.Counts // times has the distributions
	var phases []report.Phase
	for second := 1; second <= seconds; second++ {
		var now report.Counts // what this second adds
		phase := "ramp"
		switch {
		case second <= seconds/2:
			now.Started, now.Connected, now.Open = 1000, 1000, 1000
			for i := range 100 {
				now.ConnectLatency.Record(time.Duration(i+second) * 10 * time.Microsecond)
				now.HandshakeLatency.Record(time.Duration(i+second) * 20 * time.Microsecond)
			}
			if failing {
				now.Started += 3
				now.Failed = 3
				now.Failures = report.Classes{"handshake.http_503": 1, "dial.timeout": 2}
			}
		case second <= seconds*3/4:
			phase = "echo"
			now.Echo = report.EchoCounts{Sent: 2000, OK: 2000}
			for i := range 200 {
				now.EchoLatency.Record(time.Duration(i*i) * 5 * time.Microsecond)
				now.EchoService.Record(time.Duration(i*i) * time.Microsecond)
			}
		default:
			phase = "broadcast"
			now.Broadcast = report.BroadcastCounts{Expected: total.Open, Delivered: total.Open}
			for i := range 200 {
				now.BroadcastLatency.Record(time.Duration(i) * time.Millisecond)
			}
			if failing {
				now.Open, now.Closed = -1, report.Classes{"code_1011": 1}
				now.Reconnect = report.ReconnectCounts{Cut: 10, OK: 9, FailedAttempts: 1}
				now.ReconnectFailures = report.Classes{"dial.refused": 1}
				now.ReconnectLatency.Record(time.Second)
			}
		}
		if len(phases) == 0 || phases[len(phases)-1].Name != phase {
			phases = append(phases, report.Phase{Name: phase, Start: float64(second - 1)})
		}
		now.Usage = report.Usage{CPUSeconds: 0.4, ResidentBytes: 600 * now.Open}
		_ = times.MergeTimes(&now)
		var interval report.Counts
		now.TakeTimes(&interval)
		_ = total.Merge(&now)
		moment := total.Copy()
		interval.TakeTimes(&moment)

		memory, cpu, connections := float64(12<<20+1100*total.Open), 0.5, float64(total.Open)
		use := &report.NodeUse{MemoryBytes: &memory, CPU: &cpu, Connections: &connections}
		if second == 3 {
			use = nil
		}
		timeline.Add(report.Moment{At: time.Duration(second) * time.Second, Phase: phase, Total: &moment, Nodes: []*report.NodeUse{use}})
	}
	r := &report.Report{
		Run: "0123456789abcdef", Version: "test", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: float64(seconds),
		Targets: []string{"ws://node-1:8765/ws?a=<b>&c"}, Workers: 2, Planned: total.Started, Phases: phases, Timeline: timeline.Points(),
		Nodes: report.SumNodes([]report.Node{{URL: "http://node-1:8766/metrics", Scrapes: int64(seconds), ScrapesFailed: 1, Error: "status 500", Connections: 5}}),
	}
	if failing {
		r.AgentsLost = 1
		r.Agents = []report.Agent{{Address: "10.0.0.1:8767", Workers: 1, Planned: 5000}, {Address: "10.0.0.2:8767", Workers: 1, Planned: 5000, Lost: "no sign of it for 15s"}}
		total.AddSample(report.Sample{Class: "handshake.http_503", Connection: 7, Target: "ws://node-1:8765", Error: `got "<script>alert(1)</script>"`})
	}
	times.TakeTimes(&total)
	*total.Paces.Of(report.PaceKey(0, "connect")) = report.Pace{Starts: total.Started, Intended: 10 * time.Second, Actual: 10 * time.Second}
	r.Fill(&total, report.Publishing{Published: 5})
	e, _ := report.ParseExpectation("connected == planned")
	r.Judge([]report.Expectation{e})
	return r
}

// open writes the page to a file and shows that.
func open(t *testing.T, r *report.Report) (*browser.Tab, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	var page bytes.Buffer
	require.NoError(t, Write(&page, r))
	require.NoError(t, os.WriteFile(file, page.Bytes(), 0o600))
	tab := browser.Open(t, "file://"+file)
	require.Equal(t, []string{"file://" + file}, tab.Requests, "the page wants more than itself")
	require.Empty(t, tab.Complaints)
	return tab, page.String()
}

// inked counts the pixels of a chart's canvas that are coloured, neither white nor
// grey: those of its lines.
const inked = `(() => {
	const canvas = document.querySelector("#chart-%s canvas");
	if (!canvas) return "no chart";
	const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
	let n = 0;
	for (let i = 0; i < d.length; i += 4)
		if (d[i + 3] > 128 && Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 60) n++;
	return n;
})()`

var allCharts = []string{
	"connections", "connect-rate", "connect", "handshake", "echo-rate", "echo", "broadcast-rate", "broadcast", "memory", "cpu",
	"failures", "reconnect-rate", "reconnect",
}

func TestPageInABrowser(t *testing.T) {
	for name, failing := range map[string]bool{"passed": false, "failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab, page := open(t, example(20, failing))
			for _, chart := range allCharts {
				if strings.HasPrefix(chart, "reconnect") && !failing {
					require.Equal(t, "no chart", tab.Eval(fmt.Sprintf(inked, chart)), "an empty chart")
					continue
				}
				if chart == "failures" && !failing {
					tab.Shows("chart-failures", "no connection failed")
					continue
				}
				n, err := strconv.Atoi(tab.Eval(fmt.Sprintf(inked, chart)))
				require.NoError(t, err, chart)
				require.Greater(t, n, 200, "the chart %s is empty", chart)
			}
			tab.Shows("verdict", map[bool]string{false: "The one expectation is met", true: "connected == planned, but it is 10000"}[failing])
			tab.Shows("tiles", "10,000")
			if failing {
				tab.Shows("verdict", "1 of 2 agents were lost")
				require.Contains(t, page, "no sign of it for 15s")
			}
			require.Equal(t, "0", tab.Eval("document.querySelectorAll('b, [src], [href]').length"), "markup came in with the data")
			require.NotContains(t, page, "<script>alert")
			require.Contains(t, page, "The MIT License", "uPlot's licence goes with every copy of it")
			require.Empty(t, tab.Complaints)
			if file := os.Getenv("WSLOAD_TEST_SCREENSHOT"); file != "" && failing {
				require.NoError(t, os.WriteFile(file, tab.Screenshot(1280), 0o644))
			}
		})
	}
}

// Nothing in the page makes a browser ask for anything: no source, no link, no
// import. Names of other places may stand in it as text.
func TestPageRefersToNothing(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, Write(&page, example(10, true)))
	require.Empty(t, regexp.MustCompile(`(?i:<link|<img|<iframe|\ssrc\s*=\s*["']|\shref\s*=|@import|XMLHttpRequest|\bfetch\()|\burl\(`).FindAllString(page.String(), -1))
}

// A run may be over before its first second, and old reports have no timeline.
func TestPageWithoutATimeline(t *testing.T) {
	r := example(10, false)
	r.Timeline = nil
	tab, _ := open(t, r)
	require.Equal(t, "0", tab.Eval("document.querySelectorAll('canvas').length"))
	tab.Shows("verdict", "Passed")
	r = example(4, false)
	r.Timeline = r.Timeline[:1]
	tab, _ = open(t, r)
	require.Equal(t, "true", tab.Eval("document.querySelectorAll('canvas').length > 3"))
	require.Empty(t, tab.Complaints)
}
