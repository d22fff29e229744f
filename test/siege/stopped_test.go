//go:build linux

package siege

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A process that was stopped for longer than the heartbeat timeout comes back with
// every connection: what its clients sent meanwhile lies in the sockets.
func TestStopped(t *testing.T) {
	clients := size(19000)
	stop, interval, timeout := 6*time.Second, time.Second, 3*time.Second
	if *full {
		stop, interval, timeout = 30*time.Second, 10*time.Second, 20*time.Second
	}
	const around = 2 * time.Second // that clients echo before and after
	n := startNode(t, nil, "-heartbeat-interval", interval.String(), "-heartbeat-timeout", timeout.String())
	load := startLoad(t, n.URL(), "-a", fmt.Sprint(clients), "-c", "2500", "-timeout", "2m",
		"-echo-rate", fmt.Sprint(float64(clients)/(stop+2*around).Seconds()),
		"-broadcasts", "10", "-broadcast-rate", "5", "-publish", n.Admin+"/publish?channel=broadcast",
		"-hold", (timeout + interval).String()) // nobody is cut off late, either
	load.Reach("echo")
	listeners := startListeners(t, n, "broadcast")
	s := startStream(t, n, "broadcast", 1<<10, 200*time.Millisecond)
	time.Sleep(around)
	n.lag() // forgets what was before

	before, peak := n.Resident(), watchPeak(t, n)
	require.NoError(t, n.Cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(stop)
	require.NoError(t, n.Cmd.Process.Signal(syscall.SIGCONT))
	var lag float64
	require.Eventually(t, func() bool {
		lag = max(lag, n.lag())
		return lag > stop.Seconds()/2
	}, 10*time.Second, 10*time.Millisecond, "the loop lag has not seen it")

	load.Reach("broadcast")
	s.end()
	load.Reach("hold")
	after := n.Resident()
	closed := n.Reasons("wsnode_closed_total")
	r := load.Wait()
	record(t, "stopped", "for %s, with a heartbeat timeout of %s, while %d clients echo and listen", stop, timeout, clients)
	record(t, "stopped: loop lag seen", "%.1f s", lag)
	record(t, "stopped: connections kept", "%d of %d", r.Held, clients)
	record(t, "stopped: echoes answered", "%d of %d", r.Echo.OK, clients)
	record(t, "stopped: RSS", "%s before, %s at its peak, %s after", mebibytes(before), mebibytes(peak()), mebibytes(after))
	require.Empty(t, closed)
	require.Empty(t, r.Closed)
	require.EqualValues(t, clients, r.Held)
	require.EqualValues(t, clients, r.Echo.OK)
	require.EqualValues(t, 10*clients, r.Broadcast.Delivered)
	require.Zero(t, r.ClosedUnexpected+r.Echo.Corrupted+r.Broadcast.Lost+r.Broadcast.Affected)
	require.Less(t, peak(), 2*before+64<<20)
	last := s.published.Load()
	for _, l := range listeners {
		require.Eventually(t, func() bool { return l.at() >= last }, 10*time.Second, 10*time.Millisecond)
		require.Empty(t, l.ended)
	}
}

// lag is the highest of the loops' since it was last asked for, in seconds.
func (n *node) lag() (worst float64) {
	n.t.Helper()
	for _, v := range n.Family("wsnode_loop_lag_seconds") {
		worst = max(worst, v)
	}
	return worst
}
