//go:build linux

package fanout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/nodetest"
)

// history is what nodes are started with to keep the messages of a run.
var history = []string{"-history-length", "20000", "-history-age", "5m"}

// startNodes runs two nodes that a Redis joins.
func startNodes(t *testing.T, url string, args ...string) []*nodetest.Node {
	t.Helper()
	var nodes []*nodetest.Node
	for range 2 {
		nodes = append(nodes, nodetest.Start(t, append([]string{"-broker", url}, args...)...))
	}
	return nodes
}

// stream is broadcasts to clients of two nodes, with a fault in the middle.
type stream struct {
	nodes   []*nodetest.Node
	settle  time.Duration // between the end of the fault and that of the stream
	silence time.Duration // of a node, in which no echo can be answered
	// reconnect is how clients come back that lose their connection, in a scenario's
	// terms; empty where none may lose it.
	reconnect string
	publish   string // where to; empty for the second node
	order     int    // of the fault in the report
	name      string
}

// outcome is what the clients saw.
type outcome struct {
	*report.Report
	clients int      // of each node at first
	said    []string // why nodes were not ready
}

const (
	rate   = 100 // broadcasts a second
	before = 3 * time.Second
)

// run breaks something while messages flow, and returns what came of it. The fault
// returns once it is over; within is how long it may take.
func (s stream) run(t *testing.T, within time.Duration, fault func()) outcome {
	t.Helper()
	clients, calm := size(300, 60), size(before, time.Second)
	length := calm + within + s.settle
	if s.publish == "" {
		s.publish = s.nodes[1].PublishURL("broadcast")
	}
	var targets []string
	for _, n := range s.nodes {
		targets = append(targets, "'"+n.URL()+"'")
	}
	load := nodetest.StartScenario(t, fmt.Sprintf(`
name: %q
targets: [%s]
connections: %d
timeout: %s
resume: true
%s
publish: {urls: [%q]}
phases:
  - hold: {for: 500ms}
  - broadcast: {count: %d, rate: %d, late: 10m}
    echo: {rate: %d, for: %s}
expect: [generator.behind >= 0]
`, s.name, strings.Join(targets, ", "), clients, patience()+s.silence, s.reconnect, s.publish, int(length.Seconds()*rate), rate, clients, length))
	load.Reach("echo+broadcast")
	watch := watchReadiness(t, s.nodes)
	time.Sleep(calm)
	begun := time.Now()
	fault()
	ended := time.Now()
	t.Logf("%s: %s", s.name, ended.Sub(begun).Round(10*time.Millisecond))
	require.Less(t, ended.Sub(begun), within+s.settle, "the stream has ended before the fault")
	r := load.Wait()
	watch.end()
	t.Logf("%s: nodes said: %q", s.name, watch.said)
	record(t, row{
		order: s.order, fault: s.name, Report: r, notReady: watch.notReady,
		before: echoes(r, time.Time{}, begun), during: echoes(r, begun, ended),
	})
	require.EqualValues(t, clients, r.Broadcast.Listeners)
	return outcome{r, clients / len(s.nodes), watch.said}
}

// echoes is the p99 of the median second of those in whose middle it was between two times.
func echoes(r *report.Report, from, to time.Time) float64 {
	var p99s []float64
	for _, p := range r.Timeline {
		middle := r.Started.Add(time.Duration((p.T - p.Interval/2) * float64(time.Second)))
		if p.Echo.OK > 0 && middle.After(from) && middle.Before(to) {
			p99s = append(p99s, p.Echo.P99)
		}
	}
	if len(p99s) == 0 {
		return 0
	}
	slices.Sort(p99s)
	return p99s[len(p99s)/2]
}

// patience is for echoes, publishing and the last broadcasts. What is published late for want of a
// Redis comes in a burst, which echoes wait behind.
func patience() time.Duration { return size(10*time.Second, 3*time.Second) }

// requireEverything requires that every client got everything that was acknowledged,
// once and in order, and that nobody was told anything else.
func (o outcome) requireEverything(t *testing.T) {
	t.Helper()
	b := o.Broadcast
	require.Positive(t, b.Published)
	require.EqualValues(t, b.Published*b.Listeners, b.Expected)
	require.Equal(t, b.Expected, b.Delivered, "%v", o.Samples)
	require.Zero(t, b.Lost+b.Duplicated+b.Reordered+b.BroadcastCounts.Corrupted+b.Misrouted+b.Affected, "%v", o.Samples)
	s := o.Resume
	require.Zero(t, s.TooOld+s.LostTold+s.GapsUnknown+s.Skipped+s.Repeated+s.Inconsistent, "%+v %v", s, o.Samples)
	o.requireEchoes(t)
}

// requireSaid requires that nodes have said why they were not ready, in words that have
// all of these in them.
func (o outcome) requireSaid(t *testing.T, words ...string) {
	t.Helper()
	require.True(t, slices.ContainsFunc(o.said, func(text string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	}), "%q in %q", words, o.said)
}

// requireEchoes requires that all connections lived on, and every echo was right.
func (o outcome) requireEchoes(t *testing.T) {
	t.Helper()
	require.Positive(t, o.Echo.OK)
	require.Zero(t, o.Echo.Corrupted+o.Echo.Unexpected+o.Echo.Timeout, "%v", o.Samples)
	require.Equal(t, o.Reconnect.Cut, o.Reconnect.ReconnectCounts.OK, "%v", o.Samples)
	require.EqualValues(t, o.Planned, o.Held)
	require.EqualValues(t, o.ClosedUnexpected, o.Reconnect.Cut, "%v", o.Samples)
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
