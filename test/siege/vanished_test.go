//go:build linux

package siege

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reapSlack is for a busy machine; what the reaping took is recorded.
const reapSlack = 20 * time.Second

// Peers that vanish without a FIN, every packet of theirs lost, are given up within
// the heartbeat's timeout plus its interval: all of them, and none before.
func TestVanishedPeers(t *testing.T) {
	peers, interval, timeout := size(10000), 2*time.Second, 6*time.Second
	if *full {
		interval, timeout = 5*time.Second, 15*time.Second
	}
	ns := newNamespace(t)
	n := startNodeIn(t, ns, nil, "-heartbeat-interval", interval.String(), "-heartbeat-timeout", timeout.String())
	l := startLoadIn(t, ns, n.URL(), "-a", fmt.Sprint(peers), "-c", "2500", "-k")
	l.Reach("hold")
	time.Sleep(timeout + interval)
	require.EqualValues(t, peers, n.Metric("wsnode_connections"), "peers that answer are kept")

	gone := time.Now()
	ns.dropTraffic(t, netip.MustParseAddrPort(n.Listen).Port())

	var first, half, last time.Duration
	for last == 0 {
		left, passed := int(n.Metric("wsnode_connections")), time.Since(gone)
		if left < peers && first == 0 {
			first = passed
		}
		if left <= peers/2 && half == 0 {
			half = passed
		}
		if left == 0 {
			last = passed
		}
		require.Less(t, passed, timeout+interval+reapSlack, "%d of %d are not reaped", left, peers)
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(t, map[string]int{"heartbeat_timeout": peers}, n.Reasons("wsnode_closed_total"))
	require.Zero(t, n.sockets(), "the kernel, too, has done with them")

	record(t, "vanished: peers whose packets are dropped by a firewall", "%d; heartbeat every %s, timeout %s", peers, interval, timeout)
	record(t, "vanished: reaped", "%d of %d: the first after %.2f s, half after %.2f s, the last after %.2f s",
		peers, peers, first.Seconds(), half.Seconds(), last.Seconds())
}
