//go:build linux

package engine

import (
	"bufio"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Two hosts with two workers each, two targets, and two source addresses on each
// host: on every host, each source has its half of each target's connections.
func TestEachHostDealsOutItsOwnConnections(t *testing.T) {
	const total, hosts, workers = 800, 2, 4
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	type pair struct {
		host, target int
		source       netip.Addr
	}
	got := map[pair]int{}
	for w := range workers {
		e := &Engine{cfg: Config{Total: total, Offset: w, Stride: workers, Hosts: hosts, Targets: []Target{{Sources: addrs}, {Sources: addrs}}}}
		for i := range e.cfg.Connections() {
			c := client{e: e, index: uint32(i)}
			got[pair{w % hosts, c.targetIndex(), c.source()}]++
		}
	}
	require.Len(t, got, hosts*2*2)
	for p, n := range got {
		require.Equal(t, total/hosts/4, n, p)
	}
}

// The publisher's clock is an hour behind that of the clients' host.
func TestClockAheadIsTakenIntoAccount(t *testing.T) {
	t.Parallel()
	const ahead = time.Hour
	listens := make(chan struct{})
	addr := rawServer(t, func(conn net.Conn, _ *bufio.Reader) {
		<-listens
		b := message.Broadcast{Run: "0123456789abcdef", Channel: "broadcast", Sent: time.Now().Add(-ahead)}
		_, _ = conn.Write(serverFrame(true, frame.Text, b.Text(message.MinBroadcastSize)))
		time.Sleep(time.Second) // until the client has closed
	})
	e := engineFor(t, addr, 1)
	e.cfg.ClockAhead = ahead
	e.Ramp(time.Now())
	through(t, e)
	e.Listen(time.Minute)
	through(t, e)
	sent := time.Now().Add(-ahead)
	close(listens)
	require.Eventually(t, func() bool {
		p, _ := e.Snapshot(false)
		return p.Broadcast.Delivered == 1
	}, 10*time.Second, time.Millisecond)
	counts := e.Finish(Published{Sent: []int64{sent.UnixNano()}})
	require.EqualValues(t, 1, counts.Broadcast.Expected, "sent after it began to listen")
	require.Zero(t, counts.Broadcast.Late+counts.Broadcast.AheadOfTime)
	require.Less(t, counts.BroadcastLatency.Percentiles().Max, time.Minute.Seconds())
}
