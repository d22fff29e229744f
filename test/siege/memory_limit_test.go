//go:build linux

package siege

import (
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// In a control group that clients fill as fast as they can, the node turns them away
// before the kernel would kill it, and takes them again when others have left.
func TestMemoryLimit(t *testing.T) {
	// Of so little the default marks leave less than what the kernel has not yet
	// freed of the sockets of a storm.
	limit, marks := 20<<20, []string{"-memory-high", "80", "-memory-low", "70"}
	if *full {
		limit, marks = 40<<20, nil
	}
	g := newMemoryGroup(t, limit)
	n := startNode(t, g.wrap(), marks...)
	record(t, "memory limit", "%s, of which the empty node has %s", mebibytes(float64(limit)), mebibytes(g.used()))

	c := newCrowd(t, n.Listen)
	const batch, most = 32, 17500
	readyBefore := true
	for len(c.refusals) == 0 {
		readyBefore = n.Status("/readyz") == http.StatusOK
		require.Less(t, len(c.members), most, "the node takes everybody: %s", mebibytes(g.used()))
		c.connect(batch, batch)
	}
	require.False(t, readyBefore, "handshakes are refused before readiness failed")
	record(t, "memory limit: connections when the first was refused", "%d, at %.0f %% of the limit", c.open.Load(), 100*g.used()/float64(limit))

	c.connect(size(5000), 256) // a storm of clients who do not care
	c.wantRefused(size(4000))
	c.fine()
	mute(t, n.Listen, 1500) // and of some who never send a handshake
	require.Equal(t, "0", g.kills())
	record(t, "memory limit: most used by storms at the limit", "%.0f %%", 100*g.most()/float64(limit))
	c.echo(128, 64)
	require.Positive(t, n.Metric(`wsnode_handshakes_rejected_total{reason="memory"}`))

	held := int(c.open.Load())
	c.leave()
	start := time.Now()
	require.Eventually(t, func() bool { return n.Status("/readyz") == http.StatusOK }, time.Minute, 10*time.Millisecond)
	record(t, "memory limit: ready again after all left", "%.1f s", time.Since(start).Seconds())
	c.connect(held/2, 64)
	require.EqualValues(t, held/2, c.open.Load())
	c.echo(128, 64)
	require.Equal(t, "0", g.kills())
}

// wantRefused takes the refusals so far, which must be polite and at least so many.
func (c *crowd) wantRefused(least int) {
	c.t.Helper()
	require.GreaterOrEqual(c.t, len(c.refusals), least)
	for range len(c.refusals) {
		r := <-c.refusals
		require.Equal(c.t, http.StatusServiceUnavailable, r.status)
		wait, err := strconv.Atoi(r.retryAfter)
		require.NoError(c.t, err, "Retry-After")
		require.Positive(c.t, wait)
	}
}

// mute opens n connections, sends nothing on them, and keeps them for a moment.
func mute(t *testing.T, target string, n int) {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		conns[i], err = net.Dial("tcp4", target)
		require.NoError(t, err)
	}
	time.Sleep(time.Second) // longer than the node's interval between looks
	for _, c := range conns {
		_ = c.Close()
	}
}
