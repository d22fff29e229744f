//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/redistest"
)

var (
	crowdSize = flag.Int("crowd", 10_000, "clients of TestCrowd")
	crowdRate = flag.Int("crowd-rate", 2000, "connections and echoes per second of TestCrowd")
	crowdHold = flag.Duration("crowd-hold", time.Second, "how long TestCrowd holds them; what the ramp left is given back within half a minute")
	crowdOut  = flag.String("crowd-out", "", "write the figures of TestCrowd to this `file`")
)

// perNode is how many connections a node gets: what an open-file limit of 20,000 allows.
const perNode = 19_000

// All clients connect, all of them echo, and one broadcast through Redis reaches them
// all. `make crowd` does it with 300,000.
func TestCrowd(t *testing.T) {
	redis := redistest.Start(t)
	nodes := (*crowdSize + perNode - 1) / perNode
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{
		"-a", fmt.Sprint(*crowdSize), "-c", fmt.Sprint(*crowdRate), "-hold", crowdHold.String(), "-close", "abort", "-timeout", "60s",
		"-broadcasts", "1", "-publish", redis.URL + "?channel=broadcast", "-json", file, "-expect", "generator.behind >= 0",
	}
	var urls []string
	for range nodes {
		// A ping a minute: the CPU of this machine is for connecting.
		n := startNode(t, "-broker", redis.URL, "-heartbeat-interval", "60s", "-heartbeat-timeout", "180s")
		urls = append(urls, n.url)
		args = append(args, "-node-metrics", strings.Replace(n.publish, "/publish?channel=broadcast", "/metrics", 1))
	}
	cmd, out := leaderProcess(t, append(args, urls...)...)
	require.NoError(t, cmd.Wait(), out.output())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var r report.Report
	require.NoError(t, json.Unmarshal(b, &r))
	n := int64(*crowdSize)
	require.Equal(t, n, r.Held)
	require.Zero(t, r.ClosedUnexpected)
	require.Equal(t, report.EchoCounts{Sent: n, OK: n}, r.Echo.EchoCounts)
	require.Equal(t, report.BroadcastCounts{Listeners: n, Expected: n, Delivered: n}, r.Broadcast.BroadcastCounts)
	text := crowdTable(&r, nodes)
	t.Logf("\n%s", text)
	if *crowdOut != "" {
		require.NoError(t, os.WriteFile(*crowdOut, text, 0o644))
	}
}

func crowdTable(r *report.Report, nodes int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A crowd of clients on one machine\n\nMade by `make crowd`: wsload, %d wsnodes and a Redis on the same machine, over loopback. %s, %d CPUs, %s.\n\n",
		nodes, runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	w := tabwriter.NewWriter(&b, 0, 1, 1, ' ', 0)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(w, "| %s\t| %s\t|\n", what, fmt.Sprintf(format, args...))
	}
	row("what", "figure")
	row("---", "---:")
	row("connected, held, closed unexpectedly", "%d, %d, %d", r.Connected, r.Held, r.ClosedUnexpected)
	row("connections a second, intended and actual", "%.0f, %.0f", r.Connect.IntendedRate, r.Connect.ActualRate)
	row("echoes right", "%d of %d", r.Echo.OK, r.Echo.Sent)
	row("deliveries of one broadcast, lost", "%d of %d, %d", r.Broadcast.Delivered, r.Broadcast.Expected, r.Broadcast.Lost)
	row("time to the last delivery", "%.2f s", r.Broadcast.Max)
	row("wsload: workers", "%d", r.Workers)
	row("wsload: own memory of a client, beyond its empty processes", "%.2f KiB", r.Generator.BytesPerClient/1024)
	row("wsload: own memory in all", "%.0f MiB", float64(r.Generator.HeldBytes)/(1<<20))
	row("wsnode: own memory of a connection, beyond its empty processes", "%.2f KiB", r.Nodes.BytesPerConnection/1024)
	row("CPU of wsload, of the nodes", "%.1f s, %.1f s", r.Generator.CPUSeconds, r.Nodes.CPUSeconds)
	row("time of the run", "%.0f s", r.Duration)
	_ = w.Flush() // to memory
	return b.Bytes()
}
