//go:build linux

package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// tallied is an engine without connections: what its clients have seen is put in
// by hand.
func tallied(t *testing.T, clients, channels int) *Engine {
	t.Helper()
	e, err := New(Config{Total: clients, Stride: 1, Targets: []Target{{}}, Broadcasts: 100, Channels: channels})
	require.NoError(t, err)
	go func() { _ = e.Run() }()
	return e
}

func (c *client) sees(numbers ...uint32) {
	for _, n := range numbers {
		c.seen.add(n)
	}
}

// sentAt is Published of one broadcast at each of these seconds.
func (e *Engine) sentAt(seconds ...float64) (p Published) {
	for _, s := range seconds {
		p.Sent = append(p.Sent, e.base.UnixNano()+int64(s*float64(time.Second)))
	}
	return p
}

func TestWhatWasPublishedWhileAClientWasCutOffIsMissedAway(t *testing.T) {
	t.Parallel()
	e := tallied(t, 3, 1)
	for i := range e.clients {
		e.clients[i].flags = listener
	}
	e.listening.gaps = map[uint32][]span{0: {{4 * time.Second, 6 * time.Second}, {7 * time.Second, 8 * time.Second}}}
	e.clients[0].sees(0, 3, 5) // 2 and 4 are in the gaps, 1 and 6 are not
	e.absent.absences = map[uint32]*absence{1: {cut: 8 * time.Second}}
	e.clients[1].sees(0, 1, 2, 3, 4) // has not come back for 5 and 6
	e.clients[2].sees(0, 1, 2, 3, 4, 5, 6)
	got := e.Finish(e.sentAt(1, 3, 5, 6.5, 7.5, 9, 10)).Broadcast
	require.Equal(t, report.BroadcastCounts{Expected: 21, Delivered: 15, Lost: 6, MissedAway: 4, Affected: 2}, got)
}

func TestClientsOfAChurnMustGetWhatIsPublishedInTheirTime(t *testing.T) {
	t.Parallel()
	e := tallied(t, 1, 1)
	var before seen
	before.add(0)
	before.add(1)
	before.add(2) // at 3.5 s, when it was about to go
	e.listening.departed = []departed{{before, 0, span{0, 3 * time.Second}, false}}
	e.clients[0].flags = listener
	e.clients[0].since = 5 * time.Second
	e.clients[0].sees(3, 4) // 3 came before it had to, 5 did not come
	got := e.Finish(e.sentAt(1, 2, 3.5, 4.5, 6, 7)).Broadcast
	require.Equal(t, report.BroadcastCounts{Expected: 4, Delivered: 3, Lost: 1, Unrequired: 2, Affected: 1}, got)
}

func TestChannelsAreCountedEachForItself(t *testing.T) {
	t.Parallel()
	e := tallied(t, 4, 2)
	for i := range e.clients {
		e.clients[i].flags = listener
	}
	e.clients[0].sees(0, 1, 2)
	e.clients[1].sees(0, 1, 2) // 1 of its channel reported failure
	e.clients[2].sees(0, 2)
	e.clients[3].sees(0, 2)
	p := e.sentAt(1, 2, 3, 4, 5, 6)
	p.Failed = []uint32{3}
	got := e.Finish(p).Broadcast
	require.Equal(t, report.BroadcastCounts{Expected: 10, Delivered: 9, Lost: 1, Unconfirmed: 1, Affected: 1}, got)
}

func TestWhatWasPublishedWhileAClientWasAwayAndCameIsRecovered(t *testing.T) {
	t.Parallel()
	e := tallied(t, 1, 1)
	e.clients[0].flags = listener
	e.listening.late = time.Second
	e.listening.gaps = map[uint32][]span{0: {{4 * time.Second, 6 * time.Second}, {7 * time.Second, 8 * time.Second}}}
	e.clients[0].sees(0, 2, 3, 4, 6) // not 1, from just before it was cut, 5 and 7
	p := e.sentAt(1, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 10)
	p.Failed = []uint32{3} // nobody had to get it
	got := e.Finish(p).Broadcast
	require.Equal(t, report.BroadcastCounts{Expected: 7, Delivered: 4, Recovered: 1, Lost: 3, MissedAway: 2, Unconfirmed: 1, Affected: 1}, got)
}
