package exporter

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

func busy() State {
	c := &report.Counts{
		Started: 12, Connected: 9, Failed: 3, Open: 8,
		Failures: report.Classes{"dial.refused": 1, "handshake.http_503": 1, "handshake.http_599": 1},
		Closed:   report.Classes{"code_1012": 1, "code_4711": 2},
		Echo:     report.EchoCounts{Sent: 9, OK: 8, Timeout: 1},
		Usage:    report.Usage{ResidentBytes: 1 << 20, CPUSeconds: 1.5},
	}
	for i := range 100 {
		c.EchoLatency.Record(time.Duration(i+1) * time.Millisecond)
	}
	return State{Phase: "echo", Planned: 12, Workers: 2, Total: c}
}

func scrape(t *testing.T, e *Exporter) string {
	t.Helper()
	addr, stop, err := e.Serve("127.0.0.1:0")
	require.NoError(t, err)
	defer stop()
	resp, err := http.Get("http://" + addr.String() + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return string(text)
}

func TestMetrics(t *testing.T) {
	e := New("v1", []string{"ramp", "echo", "close"})
	e.Set(busy())
	text := scrape(t, e)
	for _, line := range []string{
		`wsload_build_info{version="v1"} 1`,
		`wsload_planned_connections 12`, `wsload_connections 8`, `wsload_connections_started_total 12`, `wsload_connections_established_total 9`,
		`wsload_connection_failures_total{class="refused",stage="dial"} 1`,
		`wsload_connection_failures_total{class="http_503",stage="handshake"} 1`,
		`wsload_connection_failures_total{class="other",stage="handshake"} 1`,
		`wsload_connection_failures_total{class="died",stage="worker"} 0`,
		`wsload_connections_closed_total{class="code_1012"} 1`,
		`wsload_connections_closed_total{class="other"} 2`,
		`wsload_echoes_total{outcome="ok"} 8`, `wsload_echoes_total{outcome="corrupted"} 0`,
		`wsload_broadcast_faults_total{fault="duplicated"} 0`,
		`wsload_phase{phase="echo"} 1`, `wsload_phase{phase="ramp"} 0`,
		`wsload_echo_seconds_count 100`, `wsload_echo_seconds_bucket{le="0.0512"} 51`, `wsload_echo_seconds_bucket{le="5e-05"} 0`,
		`wsload_echo_seconds_bucket{le="+Inf"} 100`,
		`wsload_workers_resident_memory_bytes 1.048576e+06`, `wsload_workers_cpu_seconds_total 1.5`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
	}
}

// What a dashboard shows must not come and go: every series is there before the
// first connection, and no run adds another one.
func TestEverySeriesExistsFromTheStart(t *testing.T) {
	names := func(text string) (series []string) {
		for _, line := range strings.Split(text, "\n") {
			if name, _, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
				series = append(series, name)
			}
		}
		return series
	}
	e := New("v1", []string{"ramp", "echo"})
	before := names(scrape(t, e))
	s := busy()
	s.Phase = "no such phase"
	s.Total.Failures = report.Classes{"nonsense": 1, "dial.errno_5": 1, "martians.landed": 1}
	s.Total.CloseFailures = report.Classes{"code_3333": 1}
	e.Set(s)
	require.Equal(t, before, names(scrape(t, e)))
	require.Contains(t, scrape(t, e), "\nwsload_connection_failures_total{class=\"other\",stage=\"other\"} 2\n")
}

// A worker that dies takes its counts out of the totals; a counter that went back
// would be a restart to Prometheus.
func TestCountersNeverGoBack(t *testing.T) {
	e := New("v1", nil)
	s := busy()
	e.Set(s)
	s.Total.Connected = 4
	s.Total.Failures = report.Classes{"worker.died": 5}
	e.Set(s)
	text := scrape(t, e)
	require.Contains(t, text, "\nwsload_connections_established_total 9\n")
	require.Contains(t, text, "\nwsload_connection_failures_total{class=\"died\",stage=\"worker\"} 5\n")
	s.Total.Connected = 11
	e.Set(s)
	require.Contains(t, scrape(t, e), "\nwsload_connections_established_total 11\n")
}

func TestPromtoolHasNothingToSay(t *testing.T) {
	e := New("v1", []string{"ramp"})
	e.Set(busy())
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, e))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), "promtool (package prometheus): %s", &out)
	require.Empty(t, out.String())
}

func TestAddressInUse(t *testing.T) {
	e := New("v1", nil)
	addr, stop, err := e.Serve("127.0.0.1:0")
	require.NoError(t, err)
	defer stop()
	_, _, err = e.Serve(addr.String())
	require.ErrorContains(t, err, addr.String()+`": bind: address already in use`)
}
