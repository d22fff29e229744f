//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// scaledDown writes an example with fewer connections and shorter phases.
func scaledDown(t *testing.T, file string) string {
	t.Helper()
	f, err := scenario.Load(file)
	require.NoError(t, err)
	s := &f.Scenario
	s.Connections = max(40, s.Connections/50)
	for i := range s.Connect.Steps {
		s.Connect.Steps[i].For /= 10
	}
	for _, p := range s.Phases {
		if p.Echo != nil {
			p.Echo.For /= 15
		}
		if b := p.Broadcast; b != nil {
			if p.Stall == nil { // else the volume is what matters
				b.Count /= 5
			}
			b.Count, b.Rate, b.Channels, b.Late = max(8, b.Count), 4*b.Rate, max(1, b.Channels/10), time.Second
		}
		if p.Churn != nil {
			p.Churn.For, p.Churn.Rate = p.Churn.For/10, p.Churn.Rate/10
		}
		if p.Storm != nil {
			p.Storm.Within /= 5
		}
		if p.Stall != nil {
			p.Stall.For, p.Stall.Share = 7*time.Second, 0.1
		}
		if p.Hold != nil {
			p.Hold.For = 3 * time.Second
		}
	}
	b, err := yaml.Marshal(s)
	require.NoError(t, err)
	small := filepath.Join(t.TempDir(), filepath.Base(file))
	require.NoError(t, os.WriteFile(small, b, 0o644))
	return small
}

// Every example that comes with wsload, on a small scale against a real node.
func TestScenarios(t *testing.T) {
	check := map[string]func(t *testing.T, r *report.Report){
		"hold": func(t *testing.T, r *report.Report) {
			require.EqualValues(t, 200, r.Held)
			require.EqualValues(t, 200, r.Echo.OK)
		},
		"heartbeats": func(t *testing.T, r *report.Report) {
			require.GreaterOrEqual(t, r.Pings, int64(100))
			require.Zero(t, r.Echo.Sent)
		},
		"echo": func(t *testing.T, r *report.Report) {
			// A Poisson number of messages, of 4,000 on average.
			require.InDelta(t, 4000, float64(r.Echo.Sent), 5*64)
			require.Equal(t, r.Echo.Sent, r.Echo.Service.Count)
		},
		"broadcast": func(t *testing.T, r *report.Report) {
			require.EqualValues(t, 100*12, r.Broadcast.Delivered)
		},
		"channels": func(t *testing.T, r *report.Report) {
			// 200 broadcasts on 10 channels, each with 10 of the 100 connections.
			require.EqualValues(t, 200*10, r.Broadcast.Expected)
			require.EqualValues(t, 200*10, r.Broadcast.Delivered)
		},
		"churn": func(t *testing.T, r *report.Report) {
			require.InDelta(t, 30, float64(r.Reconnect.Cut), 25)
			require.Equal(t, r.Reconnect.Cut, r.Reconnect.OK)
			require.Equal(t, 40+r.Reconnect.Cut, r.Broadcast.Listeners)
			require.Positive(t, r.Broadcast.Expected)
			require.EqualValues(t, 40, r.Held)
		},
		"storm": func(t *testing.T, r *report.Report) {
			require.EqualValues(t, 100, r.Reconnect.OK)
			require.EqualValues(t, 100, r.Held)
			require.EqualValues(t, 200, r.Echo.OK, "once before the storm, once after it")
			require.Positive(t, r.Broadcast.MissedAway)
		},
		"resume": func(t *testing.T, r *report.Report) {
			require.EqualValues(t, 100, r.Resume.Asked)
			require.EqualValues(t, 100*40, r.Broadcast.Delivered)
			require.Positive(t, r.Broadcast.BroadcastCounts.Recovered)
		},
		"slow-readers": func(t *testing.T, r *report.Report) {
			require.EqualValues(t, 4, r.Stall.Stalled)
			require.EqualValues(t, 36, r.Held)
			require.Positive(t, r.Broadcast.Lost)
		},
	}
	for name, check := range check {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t, "-heartbeat-interval", "1s", "-history-length", "1000")
			args := []string{"run", "-w", "2"}
			file := scaledDown(t, filepath.Join("scenarios", name+".yaml"))
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			if strings.Contains(string(b), "broadcast:") {
				publish := n.publish
				if name == "channels" {
					publish = strings.TrimSuffix(publish, "?channel=broadcast")
				}
				args = append(args, "-publish", publish)
			}
			// What takes how long is for the machine that measures.
			args = append(args, "-expect", "echo.p99 >= 0", "-expect", "reconnect.p99 >= 0", "-expect", "broadcast.late >= 0", file, n.url)
			r := load(t, args...)
			require.Zero(t, r.status, r.output())
			require.Equal(t, name, r.report.Scenario)
			check(t, &r.report)
		})
	}
}
