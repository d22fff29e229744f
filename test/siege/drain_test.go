//go:build linux

package siege

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// On SIGTERM every client is told to come back elsewhere, not all at once, and not
// before it has what was sent to it.
func TestDrainUnderLoad(t *testing.T) {
	clients, over := size(19000), 3*time.Second
	if *full {
		over = 10 * time.Second
	}
	n := startNode(t, nil, "-drain-time", over.String(), "-send-queue", fmt.Sprint(4<<20))
	load := startLoad(t, n.URL(), "-a", fmt.Sprint(clients), "-c", "2500", "-hold", "1m",
		"-echo-rate", fmt.Sprint(float64(clients)/(over+5*time.Second).Seconds()))
	load.Reach("echo")
	behind := startListeners(t, n, "behind") // they do not read for a while
	for _, l := range behind {
		l.mu.Lock()
	}
	backlog := startStream(t, n, "behind", 16<<10, 50*time.Millisecond)
	queued := func() float64 { return n.Metric("wsnode_send_queue_bytes") }
	require.Eventually(t, func() bool { return queued() > float64(len(behind)*512<<10) }, time.Minute, 50*time.Millisecond)
	backlog.end()
	time.Sleep(500 * time.Millisecond) // for what the kernel still takes
	require.Greater(t, queued(), float64(len(behind)*64<<10))
	record(t, "drain: queued for clients who do not read", "%s", mebibytes(queued()))
	keen := startListeners(t, n, "broadcast")
	everybody := startStream(t, n, "broadcast", 1<<10, 200*time.Millisecond)
	require.Eventually(t, func() bool { return keen[0].at() > 2 }, 10*time.Second, time.Millisecond)
	published := everybody.published.Load()

	start := time.Now()
	require.NoError(t, n.Cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return n.Status("/readyz") == http.StatusServiceUnavailable }, 10*time.Second, time.Millisecond)
	for _, l := range behind {
		l.mu.Unlock()
	}
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp4", n.Listen)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 10*time.Second, 10*time.Millisecond, "new connections are taken")
	times := closingTimes(n, clients, start)
	require.NoError(t, <-n.Exited)
	exited := time.Since(start)

	r := load.Wait()
	record(t, "drain: SIGTERM", "at %d connections that echo and listen, -drain-time %s", clients, over)
	record(t, "drain: closed with 1012", "%d of %d", r.Closed["code_1012"], clients)
	record(t, "drain: 10 / 50 / 90 / 100 % were closed after", "%.1f / %.1f / %.1f / %.1f s, exit after %.1f s",
		times[10].Seconds(), times[50].Seconds(), times[90].Seconds(), times[100].Seconds(), exited.Seconds())
	require.Equal(t, report.Classes{"code_1012": int64(clients)}, r.Closed)
	require.Zero(t, r.Echo.Timeout+r.Echo.Corrupted)
	require.Greater(t, times[90]-times[10], over/4, "all at once")
	require.Less(t, exited, over+30*time.Second)
	requireAllUntilRestart(t, behind, backlog.published.Load())
	requireAllUntilRestart(t, keen, published)
}

// requireAllUntilRestart requires that each got the stream to that number, and 1012 then.
func requireAllUntilRestart(t *testing.T, listeners []*listener, number int64) {
	t.Helper()
	for _, l := range listeners {
		err := <-l.ended
		require.True(t, websocket.IsCloseError(err, websocket.CloseServiceRestart), "%v", err)
		require.GreaterOrEqual(t, l.at(), number, "what was queued is delivered")
	}
}

// closingTimes samples the node's connections until it has gone, and returns when each
// percentage of them was closed, since start.
func closingTimes(n *node, clients int, start time.Time) (times [101]time.Duration) {
	for percent := 0; ; time.Sleep(20 * time.Millisecond) {
		open, ok := n.connections()
		now := time.Since(start)
		for ; percent <= 100 && open <= clients*(100-percent)/100; percent++ {
			times[percent] = now
		}
		if !ok {
			return times
		}
	}
}

// connections is wsnode_connections, and false of a node that has gone.
func (n *node) connections() (int, bool) {
	resp, err := n.HTTP.Get(n.Admin + "/metrics")
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "wsnode_connections "); ok {
			count, err := strconv.ParseFloat(v, 64)
			return int(count), err == nil
		}
	}
	return 0, false
}
