//go:build linux

package siege

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// dribbleEvery is the time between two bytes of a slow client.
	dribbleEvery = 3 * time.Second
	// slowConnectionBytes bounds what a client may cost the process: what an idle one
	// does (1 KiB), and as much again for the bytes that it has sent and the room
	// that they are kept in.
	slowConnectionBytes = 2 << 10
	// processBytes is what the process may need beside its connections: the garbage
	// between two collections, and what the runtime keeps at hand.
	processBytes = 12 << 20
)

// Clients that send a handshake or a frame one byte every few seconds neither hold up
// the others nor pile up: the handshakes end with 408, the frames are waited for.
func TestSlowloris(t *testing.T) {
	slow, normal, rounds, timeout := size(5000), size(5000), 1, 10*time.Second
	if *full {
		rounds, timeout = 5, 30*time.Second
	}
	n := startNode(t, nil, "-handshake-timeout", timeout.String())
	empty := n.Resident()
	echoRound(t, n, normal) // warms up

	var without, with echoTimes
	var highest float64
	for range rounds {
		without.add(echoRound(t, n, normal))
		peak := watchPeak(t, n)
		attackSlowly(t, n, slow, func() { with.add(echoRound(t, n, normal)) })
		highest = max(highest, peak())
		require.Eventually(t, func() bool { return n.Metric("wsnode_sockets") == 0 }, 10*time.Second, 20*time.Millisecond)
	}
	require.Equal(t, map[string]int{"timeout": rounds * slow}, n.Reasons("wsnode_handshakes_rejected_total"))
	require.Equal(t, map[string]int{"peer_closed": (1 + 2*rounds) * normal, "peer_gone": rounds * slow}, n.Reasons("wsnode_closed_total"))

	record(t, "slowloris: clients", "%d slow handshakes and %d slow frames, a byte every %s; %d normal ones that echo 128 B, %d a second",
		slow, slow, dribbleEvery, normal, size(2000))
	record(t, "slowloris: rounds, each without and with the slow ones", "%d; times are medians", rounds)
	compare(t, "slowloris: echo p50", without.p50, with.p50)
	compare(t, "slowloris: echo p99", without.p99, with.p99)
	record(t, "slowloris: handshakes answered 408, frames echoed in the end", "%d, %d: all", rounds*slow, rounds*slow)
	clients := float64(2*slow + normal)
	record(t, "slowloris: RSS", "%s empty, %s at its peak: %.0f B a connection", mebibytes(empty), mebibytes(highest), (highest-empty)/clients)
	require.Less(t, highest, empty+clients*slowConnectionBytes+processBytes, "resident memory")
}

// attackSlowly keeps n's clients busy with as many slow handshakes and slow frames while
// f runs, then has the former refused and the latter answered.
func attackSlowly(t *testing.T, n *node, each int, f func()) {
	t.Helper()
	before := n.Reasons("wsnode_handshakes_rejected_total")
	var frames, handshakes []*slowClient
	for i := range each {
		frames = append(frames, slowFrame(t, n, i))
	}
	for range each {
		handshakes = append(handshakes, slowHandshake(t, n))
	}
	stop := dribble(t, append(frames[:each:each], handshakes...), dribbleEvery)
	f()
	require.Equal(t, before, n.Reasons("wsnode_handshakes_rejected_total"), "the slow handshakes were there all the time")
	for _, c := range handshakes {
		require.Equal(t, http.StatusRequestTimeout, c.refused(t))
		_ = c.Close()
	}
	require.Greater(t, stop(), 2*each, "bytes sent")
	for _, c := range frames {
		require.Equal(t, replyHead+c.text, c.finish(t))
		_ = c.Close()
	}
}

// echoRound lets so many normal clients come, echo once and go.
func echoRound(t *testing.T, n *node, clients int) *report.Report {
	t.Helper()
	r := startLoad(t, n.URL(), "-a", fmt.Sprint(clients), "-c", "2500", "-echo-rate", fmt.Sprint(size(2000))).Wait()
	require.EqualValues(t, clients, r.Connected)
	require.EqualValues(t, clients, r.Echo.OK)
	require.Zero(t, r.ClosedUnexpected)
	return r
}

// echoTimes are those of several rounds.
type echoTimes struct{ p50, p99 seconds }

func (e *echoTimes) add(r *report.Report) {
	e.p50, e.p99 = append(e.p50, r.Echo.P50), append(e.p99, r.Echo.P99)
}
