//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// expected checks that the run failed on exactly these expectations.
func expected(t *testing.T, r *result, failed ...string) {
	t.Helper()
	var got []string
	for _, o := range r.report.Expectations {
		if !o.OK {
			got = append(got, fmt.Sprintf("%s: %v", o.Text, o.Value))
			require.Contains(t, r.stderr.String(), fmt.Sprintf("wsload: expected %s, but it is %s\n", o.Text, figure.Number(o.Value)))
		}
	}
	require.Equal(t, failed, got)
	require.Equal(t, exitFailed, r.status)
	require.False(t, r.report.OK)
}

// 100,000 deliveries, of which one in a thousand is lost, one doubled, one swapped with
// the next and one damaged, in any of its bytes. The server's own log has the last
// word, on the totals and on which broadcast of which connection it was.
func TestOneBroadcastInAThousandGoesWrongAndIsFound(t *testing.T) {
	t.Parallel()
	f := &faulty{drop: 1000, double: 1000, swap: 1000, damage: 1000, last: 100}
	url, publish := f.start(t)
	r := load(t, "-a", "1000", "-c", "500", "-w", "2", "-timeout", "15s",
		"-broadcasts", "100", "-broadcast-rate", "20", "-publish", publish, url)
	for name, n := range map[string]int64{"dropped": f.made.dropped, "doubled": f.made.doubled, "swapped": f.made.swapped, "damaged": f.made.damaged} {
		require.Greater(t, n, int64(50), name)
	}
	logs, affected := map[string][]string{}, int64(0)
	for _, c := range f.conns {
		logs[c.number] = c.log
		if len(c.log) > 0 {
			affected++
		}
	}
	require.Len(t, logs, 1000)
	lost := f.made.dropped + f.made.damaged
	b := r.report.Broadcast
	b.AheadOfTime = 0
	require.Equal(t, report.BroadcastCounts{
		Listeners: 1000, Expected: 100_000, Delivered: 100_000 - lost, Lost: lost,
		Duplicated: f.made.doubled, Reordered: f.made.swapped, Corrupted: f.made.damaged, Affected: affected,
	}, b.BroadcastCounts)
	require.Zero(t, r.report.Foreign+r.report.ClosedUnexpected)
	require.EqualValues(t, 1000, r.report.Echo.OK)
	expected(t, r,
		fmt.Sprintf("broadcast.delivered == 100000: %d", b.Delivered), fmt.Sprintf("broadcast.lost == 0: %d", lost),
		fmt.Sprintf("broadcast.duplicated == 0: %d", f.made.doubled), fmt.Sprintf("broadcast.reordered == 0: %d", f.made.swapped),
		fmt.Sprintf("broadcast.corrupted == 0: %d", f.made.damaged))

	shown := map[string]int{}
	for _, s := range r.report.Samples {
		what := strings.TrimPrefix(s.Class, "broadcast.")
		shown[what]++
		if what == "corrupted" {
			continue
		}
		for _, n := range strings.Fields(s.Error)[1:] {
			require.Contains(t, logs[fmt.Sprint(s.Connection)], what+" "+n, "connection %d", s.Connection)
		}
	}
	each := report.SamplesPerClass
	require.Equal(t, map[string]int{"lost": each, "duplicated": each, "reordered": each, "corrupted": each}, shown)
}

// A server that knows no channels sends to all what is for some.
func TestBroadcastsOfOtherChannelsAreMisrouted(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, publish := f.start(t)
	r := load(t, "-a", "30", "-w", "2", "-echo=false", "-broadcasts", "12", "-broadcast-rate", "100", "-broadcast-channels", "3", "-publish", publish, url)
	b := r.report.Broadcast
	require.EqualValues(t, 30*12/3, b.Expected)
	require.EqualValues(t, 30*12/3, b.Delivered)
	require.EqualValues(t, 30*12*2/3, b.Misrouted)
	require.Zero(t, b.Lost+b.Duplicated+b.Reordered+b.BroadcastCounts.Corrupted)
	require.Equal(t, "broadcast.misrouted", r.report.Samples[0].Class)
	expected(t, r, "broadcast.misrouted == 0: 240")
}

func TestLateBroadcastsAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{late: 4, lag: 3 * time.Second}
	url, publish := f.start(t)
	file := scenarioFile(t, "connections: 20\npublish: {urls: ['"+publish+"']}\nphases: [{broadcast: {count: 10, rate: 2, late: 2s}}]")
	r := load(t, "run", "-w", "2", file, url)
	b := r.report.Broadcast
	require.EqualValues(t, 20*10, b.Delivered)
	require.EqualValues(t, 20, b.Late, "the one that was held back, on every connection")
	require.GreaterOrEqual(t, b.Max, 3.0)
	expected(t, r, "broadcast.late == 0: 20")
}

func TestWrongEchoesAreCountedExactly(t *testing.T) {
	t.Parallel()
	f := &faulty{corrupt: 10, mute: 15, twice: 20}
	url, _ := f.start(t)
	r := load(t, "-a", "500", "-w", "2", "-timeout", "5s", "-hold", "200ms", url)
	require.Positive(t, f.made.corrupted)
	require.Positive(t, f.made.muted)
	require.Positive(t, f.made.doubledEchoes)
	want := report.EchoCounts{
		Sent: 500, OK: 500 - f.made.corrupted - f.made.muted,
		Corrupted: f.made.corrupted, Timeout: f.made.muted, Unexpected: f.made.doubledEchoes,
	}
	require.Equal(t, want, r.report.Echo.EchoCounts)
	require.Zero(t, r.report.Foreign)
	expected(t, r, fmt.Sprintf("echo.ok == planned: %d", want.OK),
		fmt.Sprintf("echo.corrupted == 0: %d", want.Corrupted), fmt.Sprintf("echo.unexpected == 0: %d", want.Unexpected))
}

func TestRefusedHandshakesAreCountedByStatus(t *testing.T) {
	t.Parallel()
	f := &faulty{refuse: 5}
	url, _ := f.start(t)
	r := load(t, "-a", "300", "-verbose", url)
	require.Positive(t, f.made.refused)
	require.Equal(t, report.Classes{"handshake.http_503": f.made.refused}, r.report.Failures)
	require.Equal(t, 300-f.made.refused, r.report.Connected)
	require.Len(t, r.report.Samples, report.SamplesPerClass)
	require.Equal(t, `HTTP/1.1 503 Service Unavailable: "full"`, r.report.Samples[0].Error)
	require.Contains(t, r.stdout.String(), `HTTP/1.1 503 Service Unavailable: "full"`)
	require.Equal(t, exitFailed, r.status)
}

func TestClosesWhileHeldAreNoticedAndCountedByCode(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, _ := f.start(t)
	r, wait := start(t.Context(), t, "-a", "60", "-w", "2", "-hold", "1s", "-expect", "closed_unexpected == 7", "-expect", "closed.code_1012 == 7", url)
	r.waitFor(t, "phase: hold connected=60")
	f.closeAll(7, websocket.CloseServiceRestart)
	r.waitFor(t, "phase: close connected=53")
	r = wait()
	require.Zero(t, r.status, r.output())
	require.Equal(t, report.Classes{"code_1012": 7}, r.report.Closed)
	require.EqualValues(t, 53, r.report.Held)
	require.Equal(t, "close frame 1012 restart", r.report.Samples[0].Error)
}

func TestHoldEndsWhenNothingIsLeftToHold(t *testing.T) {
	t.Parallel()
	f := &faulty{}
	url, _ := f.start(t)
	r, wait := start(t.Context(), t, "-a", "10", "-k", url)
	r.waitFor(t, "phase: hold connected=10")
	f.closeAll(10, websocket.CloseGoingAway)
	r = wait()
	expected(t, r, "closed_unexpected == 0: 10")
}
