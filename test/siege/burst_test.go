//go:build linux

package siege

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a burst of large messages allocated is given back: a minute later the process
// has about the memory that it had before.
func TestMemoryAfterABurst(t *testing.T) {
	clients := size(19000)
	settle, after := 12*time.Second, 20*time.Second
	if *full {
		settle, after = 30*time.Second, time.Minute
	}
	n := startNode(t, nil)
	empty := n.Resident()
	c := newCrowd(t, n.Listen)
	c.connect(clients, 64)
	c.fine()
	c.echo(128, 64)
	time.Sleep(settle) // longer than the node waits before it gives memory back
	idle := n.Resident()
	record(t, "burst: idle connections", "%d", c.open.Load())
	record(t, "burst: RSS idle", "%s, %.0f B a connection", mebibytes(idle), (idle-empty)/float64(clients))

	peak := watchPeak(t, n)
	start := time.Now()
	c.echo(64<<10, size(1000))
	took := time.Since(start)
	record(t, "burst: 64 KiB on each connection", "%d at a time, in %.1f s", size(1000), took.Seconds())
	record(t, "burst: RSS peak", "%s", mebibytes(peak()))

	time.Sleep(after)
	later := n.Resident()
	record(t, "burst: RSS "+after.String()+" later", "%s, %.2f times idle", mebibytes(later), later/idle)
	if *full {
		require.Less(t, later, 1.5*idle)
	}
	require.EqualValues(t, clients, c.open.Load())
	c.echo(128, 64)
}
