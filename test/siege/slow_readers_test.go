//go:build linux

package siege

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	sendQueue = 256 << 10 // wsnode's -send-queue, in bytes
	// broadcastBytes and broadcasts make a stream of 640 KiB: what a slow reader's
	// queue holds, what the kernel holds for it at both ends (some 100 KiB, see
	// narrow), and as much again that only the others get.
	broadcastBytes = 16 << 10
	broadcasts     = 40
	// queueCost is what a full queue may cost in memory, as a multiple of its bytes:
	// its buffer has up to twice the room, and leaves garbage when it grows.
	queueCost = 3
)

// Clients that stop reading during a broadcast stream are closed, and nobody else
// notices: the others lose nothing, memory stays within the send queues.
func TestSlowReaders(t *testing.T) {
	slow, normal, rounds, rate := size(100), size(9900), 1, 20
	if *full {
		rounds, rate = 3, 2
	}
	// Those who don't read don't see pings either: the heartbeat must not be faster.
	n := startNode(t, nil, "-send-queue", fmt.Sprint(sendQueue), "-heartbeat-timeout", "10m")

	var without, with broadcastTimes
	var calm, highest float64
	for round := range rounds {
		peak := watchPeak(t, n)
		without.add(listen(t, n, normal, rate))
		if round == 0 { // later, some of what the slow readers took may still be there
			calm = peak()
		}
		require.Equal(t, round*slow, n.Reasons("wsnode_closed_total")["slow_consumer"])

		var deaf []net.Conn
		for range slow {
			deaf = append(deaf, deafClient(t, n))
		}
		peak = watchPeak(t, n)
		with.add(listen(t, n, normal, rate))
		highest = max(highest, peak())
		require.Equal(t, map[string]int{"slow_consumer": (round + 1) * slow, "peer_closed": 2 * (round + 1) * normal},
			n.Reasons("wsnode_closed_total"))
		require.Eventually(t, func() bool { return n.sockets() == 0 }, 10*time.Second, 20*time.Millisecond,
			"the kernel gives up at once what they have not taken")
		for _, c := range deaf {
			requireClosed(t, c)
		}
	}
	record(t, "slow readers: stream", "%d broadcasts of %d KiB, %d a second, to %d listeners", broadcasts, broadcastBytes>>10, rate, normal+slow)
	record(t, "slow readers: rounds, each without and with those who stop reading", "%d; times are medians", rounds)
	record(t, "slow readers: closed as slow consumers", "%d of %d", rounds*slow, rounds*slow)
	record(t, "slow readers: the others' deliveries", "%d of %d in order, none lost or doubled", 2*rounds*normal*broadcasts, 2*rounds*normal*broadcasts)
	compare(t, "slow readers: the others' p50", without.p50, with.p50)
	compare(t, "slow readers: the others' p99", without.p99, with.p99)
	record(t, "slow readers: RSS at its peak", "%s before, %s with them; %d full send queues are %s",
		mebibytes(calm), mebibytes(highest), slow, mebibytes(float64(slow*sendQueue)))
	require.Less(t, highest, calm+float64(slow*sendQueue*queueCost)+processBytes, "resident memory")
}

// listen lets so many clients listen to the stream from its beginning to its end.
func listen(t *testing.T, n *node, clients, rate int) *report.Report {
	t.Helper()
	r := startLoad(t, n.URL(), "-a", fmt.Sprint(clients), "-c", "2500", "-timeout", "2m", "-broadcasts", fmt.Sprint(broadcasts),
		"-broadcast-size", fmt.Sprint(broadcastBytes), "-broadcast-rate", fmt.Sprint(rate), "-publish", n.Admin+"/publish?channel=broadcast").Wait()
	b := &r.Broadcast
	require.EqualValues(t, clients, r.Connected)
	require.EqualValues(t, clients, b.Listeners)
	require.EqualValues(t, broadcasts, b.Published)
	require.EqualValues(t, clients*broadcasts, b.Delivered, "%+v", r)
	require.Zero(t, b.Lost+b.Duplicated+b.Reordered+b.Affected)
	require.Zero(t, r.ClosedUnexpected)
	return r
}

// deafClient is connected, listens to the broadcasts and never reads them.
func deafClient(t *testing.T, n *node) net.Conn {
	t.Helper()
	dialer := websocket.Dialer{NetDialContext: (&net.Dialer{Control: narrow}).DialContext}
	ws, resp, err := dialer.Dial(n.URL(), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	t.Cleanup(func() { _ = ws.Close() })
	return ws.NetConn()
}

// requireClosed reads what the kernel still has of a connection, to its end.
func requireClosed(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	received, err := io.Copy(io.Discard, c)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the node closes")
	require.Less(t, received, int64(broadcasts*broadcastBytes))
	_ = c.Close()
}

// broadcastTimes are those of several rounds, from publishing to each delivery.
type broadcastTimes struct{ p50, p99 seconds }

func (b *broadcastTimes) add(r *report.Report) {
	b.p50, b.p99 = append(b.p50, r.Broadcast.P50), append(b.p99, r.Broadcast.P99)
}
