//go:build linux

package engine

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// echoServer answers every message with itself, after delay has said how long to
// wait, and every close frame.
func echoServer(t *testing.T, delay func() time.Duration) netip.AddrPort {
	t.Helper()
	return rawServer(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			op, payload := readFrame(t, r)
			switch op {
			case frame.Text:
				time.Sleep(delay())
				_, _ = conn.Write(serverFrame(true, frame.Text, payload))
			case frame.Close:
				_, _ = conn.Write(serverFrame(true, frame.Close, payload))
				return
			}
		}
	})
}

func atOnce() time.Duration { return 0 }

func begin(t *testing.T, e *Engine, p scenario.Phase) report.Counts {
	t.Helper()
	s := scenario.Default()
	s.Phases = []scenario.Phase{p}
	s.Complete()
	e.Begin(1, p, time.Now())
	return through(t, e)
}

func newEcho(rate float64, length time.Duration) *scenario.Echo {
	var a scenario.Echo
	a.SetDefaults()
	a.Reply, a.Rate, a.For = "{{.}}", rate, length
	return &a
}

func TestRecurringEchoGoesOverTheConnectionsInTurn(t *testing.T) {
	t.Parallel()
	e := engineFor(t, echoServer(t, atOnce), 5)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Echo: newEcho(200, 500*time.Millisecond)})
	require.Equal(t, report.EchoCounts{Sent: 100, OK: 100}, c.Echo)
	pace := c.Paces[report.PaceKey(1, "echo")]
	require.EqualValues(t, 100, pace.Starts)
	require.Equal(t, 495*time.Millisecond, pace.Intended)

	a := newEcho(1000, 0)
	a.Rounds = 3
	e.Begin(2, scenario.Phase{Echo: a}, time.Now())
	c = through(t, e)
	require.Equal(t, report.EchoCounts{Sent: 115, OK: 115}, c.Echo)
	full := e.Finish(Published{})
	require.EqualValues(t, 115, full.EchoLatency.Percentiles().Count)
	require.EqualValues(t, 115, full.EchoService.Percentiles().Count)
}

// A connection whose answer is late does not slow the schedule down: what waits
// behind it is sent when it can be, and counts from its intended time.
func TestRequestsThatWaitCountFromTheirIntendedTime(t *testing.T) {
	t.Parallel()
	first := true
	e := engineFor(t, echoServer(t, func() time.Duration {
		if first {
			first = false
			return time.Second
		}
		return 0
	}), 1)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Echo: newEcho(100, time.Second)})
	require.Equal(t, report.EchoCounts{Sent: 100, OK: 100}, c.Echo)
	pace := c.Paces[report.PaceKey(1, "echo")]
	require.Less(t, pace.Intended, time.Second)
	require.GreaterOrEqual(t, pace.Sent, time.Second, "none could be sent before the first was answered")
	full := e.Finish(Published{})
	// One request took a second of the server's time. The 99 behind it had their
	// times evenly in that second.
	require.GreaterOrEqual(t, full.EchoLatency.Percentiles().P50, 0.45)
	require.Less(t, full.EchoService.Percentiles().P50, full.EchoLatency.Percentiles().P50/2)
	require.GreaterOrEqual(t, full.EchoService.Percentiles().Max, 0.999)
}

func TestRequestsBehindOneThatIsNeverAnsweredTimeOutInTheirTime(t *testing.T) {
	t.Parallel()
	addr := rawServer(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	e := engineFor(t, addr, 1)
	e.Ramp(time.Now())
	through(t, e)
	start := time.Now()
	c := begin(t, e, scenario.Phase{Echo: newEcho(20, 500*time.Millisecond)})
	require.Equal(t, report.EchoCounts{Sent: 10, Timeout: 10}, c.Echo)
	require.GreaterOrEqual(t, time.Since(start), 2*time.Second)
	e.Finish(Published{})
}

// The answer to a request that has timed out is late, not the corrupted answer of
// the request after it.
func TestLateAnswersAreUnexpectedNotCorrupted(t *testing.T) {
	t.Parallel()
	first := true
	e := engineFor(t, echoServer(t, func() time.Duration {
		if first {
			first = false
			return 3 * time.Second // longer than the time-out
		}
		return 0
	}), 1)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Echo: newEcho(1, 3*time.Second)})
	require.Equal(t, report.EchoCounts{Sent: 3, OK: 2, Timeout: 1, Unexpected: 1}, c.Echo)
	e.Finish(Published{})
}

func TestChurnReplacesTheLongestConnectedFirst(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	accepted := 0
	addr := rawServer(t, func(conn net.Conn, r *bufio.Reader) {
		mu.Lock()
		accepted++
		mu.Unlock()
		op, payload := readFrame(t, r)
		if op == frame.Close {
			_, _ = conn.Write(serverFrame(true, frame.Close, payload))
		}
	})
	e := engineFor(t, addr, 10)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Churn: &scenario.Churn{Rate: 50, For: 300 * time.Millisecond}})
	require.Equal(t, report.ReconnectCounts{Cut: 15, OK: 15}, c.Reconnect)
	require.EqualValues(t, 10, c.Open)
	require.EqualValues(t, 10, c.Connected, "clients of the ramp")
	require.Empty(t, c.Closed)
	require.Empty(t, c.CloseFailures)
	require.Eventually(t, func() bool { // the server may be slower to count than the client to connect
		mu.Lock()
		defer mu.Unlock()
		return accepted == 25
	}, 10*time.Second, time.Millisecond)
	full := e.Finish(Published{})
	require.EqualValues(t, 15, full.ReconnectLatency.Percentiles().Count)
	require.EqualValues(t, 10, full.HandshakeLatency.Percentiles().Count)
	for i := range e.clients {
		want := uint16(1)
		if i < 5 {
			want = 2
		}
		require.Equal(t, want, e.clients[i].life, "client %d", i)
	}
}

func TestStormBringsEveryClientBackWithinItsTime(t *testing.T) {
	t.Parallel()
	e := engineFor(t, echoServer(t, atOnce), 40)
	e.Ramp(time.Now())
	through(t, e)
	storm := &scenario.Storm{Share: 0.5, Comeback: scenario.Comeback{Within: 400 * time.Millisecond, Backoff: time.Second, MaxBackoff: time.Second, GiveUp: 10 * time.Second}}
	c := begin(t, e, scenario.Phase{Storm: storm})
	require.Equal(t, report.ReconnectCounts{Cut: 20, OK: 20}, c.Reconnect)
	require.EqualValues(t, 40, c.Open)
	pace := c.Paces[report.PaceKey(1, "reconnect")]
	require.EqualValues(t, 20, pace.Starts)
	require.LessOrEqual(t, pace.Intended, 400*time.Millisecond)
	require.Greater(t, pace.Intended, 200*time.Millisecond, "twenty random times all in the first half")
	c = begin(t, e, scenario.Phase{Echo: newEcho(1000, 40*time.Millisecond)})
	require.Equal(t, report.EchoCounts{Sent: 40, OK: 40}, c.Echo)
	full := e.Finish(Published{})
	require.GreaterOrEqual(t, full.ReconnectLatency.Percentiles().Max, pace.Intended.Seconds()-0.01)
}

func TestStormTriesAgainAndGivesUp(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().(*net.TCPAddr).AddrPort()
	go func() {
		var conns []net.Conn
		for range 8 {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			go func() { _, _ = acceptHandshake(conn) }()
		}
		ln.Close() // nobody gets in any more
		for _, conn := range conns {
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	e := engineFor(t, addr, 8)
	e.Ramp(time.Now())
	through(t, e)
	storm := &scenario.Storm{Share: 1, Comeback: scenario.Comeback{Within: 0, Backoff: 20 * time.Millisecond, MaxBackoff: 100 * time.Millisecond, GiveUp: time.Second}}
	c := begin(t, e, scenario.Phase{Storm: storm})
	require.EqualValues(t, 8, c.Reconnect.Cut)
	require.EqualValues(t, 8, c.Reconnect.GivenUp)
	require.Zero(t, c.Open+c.Reconnect.OK)
	// With pauses of 50 ms at the most on average, a second has room for many.
	require.Greater(t, c.Reconnect.FailedAttempts, int64(8*5))
	require.Equal(t, report.Classes{"dial.refused": c.Reconnect.FailedAttempts}, c.ReconnectFailures)
	require.Zero(t, c.Failed)
	full := e.Finish(Published{})
	require.Equal(t, "reconnect.dial.refused", full.Samples[0].Class)
}

func TestClosingDoesNotWaitForClientsThatAreAway(t *testing.T) {
	t.Parallel()
	e := engineFor(t, echoServer(t, atOnce), 10)
	e.Ramp(time.Now())
	through(t, e)
	e.Begin(1, scenario.Phase{Storm: &scenario.Storm{Share: 0.5, Comeback: scenario.Comeback{Within: time.Hour, GiveUp: 2 * time.Hour}}}, time.Now())
	require.Eventually(t, func() bool {
		p, _ := e.Snapshot(false)
		return p.Reconnect.Cut == 5
	}, 10*time.Second, time.Millisecond)
	e.Close(time.Now())
	c := through(t, e)
	require.Equal(t, report.ReconnectCounts{Cut: 5, GivenUp: 5}, c.Reconnect)
	require.EqualValues(t, 5, c.Held)
	e.Finish(Published{})
}

func TestStalledClientsDoNotRead(t *testing.T) {
	t.Parallel()
	const size = 64 << 10
	stuck := make(chan int, 4)
	addr := rawServer(t, func(conn net.Conn, r *bufio.Reader) {
		// Writes until the peer takes no more for a while.
		message := serverFrame(true, frame.Text, make([]byte, size))
		for i := range 200 {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := conn.Write(message); err != nil {
				stuck <- i
				return // a slow consumer is closed
			}
			time.Sleep(2 * time.Millisecond)
		}
		_, _ = io.Copy(io.Discard, r)
	})
	e := engineFor(t, addr, 4)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Stall: &scenario.Stall{Share: 0.5, For: 5 * time.Second}})
	require.Equal(t, report.StallCounts{Stalled: 2, Closed: 2}, c.Stall)
	require.EqualValues(t, 2, c.StallClosed.Sum())
	require.Empty(t, c.Closed, "those of stalled clients are counted apart")
	require.EqualValues(t, 2, c.Open)
	require.Len(t, stuck, 2)
	e.Finish(Published{})
}

// The schedule of a busy worker may be on time, and the answers yet wait for it.
func TestAWorkerThatNeverPausesSaysSo(t *testing.T) {
	t.Parallel()
	e := engineFor(t, echoServer(t, atOnce), 5)
	e.Ramp(time.Now())
	through(t, e)
	c := begin(t, e, scenario.Phase{Echo: newEcho(100, 1200*time.Millisecond)})
	require.Less(t, c.Paces[report.PaceKey(1, "echo")].Busy, 0.98)

	var work func()
	work = func() {
		time.Sleep(5 * time.Millisecond)
		e.loop.Post(work)
	}
	e.loop.Post(work)
	e.Begin(2, scenario.Phase{Echo: newEcho(100, 1200*time.Millisecond)}, time.Now())
	c = through(t, e)
	require.Greater(t, c.Paces[report.PaceKey(2, "echo")].Busy, 0.98)
	require.Less(t, c.Paces[report.PaceKey(2, "echo")].WorstLag, time.Second)
	e.Finish(Published{})
}
