package broker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// streaming publishes on channel through b until the returned function is called, which
// returns what was published.
func streaming(t *testing.T, b broker.Broker, channel string) (end func() *published) {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var out *published
	wg.Go(func() { out = stream(t, b, channel, stop) })
	awaitPublished(t, b, 20)
	return func() *published {
		awaitPublished(t, b, 20)
		close(stop)
		wg.Wait()
		return out
	}
}

// awaitPublished returns once b has published n more messages.
func awaitPublished(t *testing.T, b broker.Broker, n uint64) {
	t.Helper()
	since := b.Stats().Published.Load()
	require.Eventually(t, func() bool { return b.Stats().Published.Load() >= since+n }, patience, time.Millisecond)
}

// Slots move from primary to primary and back while messages are published on their
// channels: no publisher notices, and with a history no subscriber does.
func TestClusterSlotMoves(t *testing.T) {
	c := redistest.Setup{}.StartCluster(t)
	r := rig{url: c.URL}
	kept, counted := r.broker(t, withHistory(100000)), r.broker(t, nil)
	inKept, inCounted := run(t, kept), run(t, counted)
	subscribe(t, kept, inKept, "kept")
	base := subscribe(t, counted, inCounted, "counted")
	for i := range 100 { // which stay where they are
		subscribe(t, kept, inKept, fmt.Sprint(i))
	}
	endKept, endCounted := streaming(t, kept, "kept"), streaming(t, counted, "counted")
	for range 5 {
		c.MoveSlot(t, "kept")
		c.MoveSlot(t, "counted")
		awaitPublished(t, kept, 20)
		awaitPublished(t, counted, 20)
	}
	outKept, outCounted := endKept(), endCounted()
	require.Len(t, outKept.acknowledged, outKept.attempts)
	require.Len(t, outCounted.acknowledged, outCounted.attempts)

	in := func() bool {
		got := inKept.of("kept")
		return len(got) > 0 && got[len(got)-1].Position == outKept.last
	}
	require.Eventually(t, in, patience, time.Millisecond)
	require.Equal(t, outKept.acknowledged, inKept.payloads("kept"))
	require.Zero(t, inKept.lost("kept"))
	awaitAccount(t, counted, inCounted, "counted", int(outCounted.last.Offset-base.Offset))
	require.Zero(t, kept.Stats().Gaps.Unknown.Load()+counted.Stats().Gaps.Unknown.Load())
	require.Zero(t, kept.Stats().Reconnects.Load()+counted.Stats().Reconnects.Load(), "connections stay")
}

// A primary that lacks the library, because it was added later, gets it when it is missed.
func TestClusterPrimaryWithoutLibrary(t *testing.T) {
	c := redistest.Setup{}.StartCluster(t)
	r := rig{url: c.URL}
	b := r.broker(t, withHistory(100))
	in := run(t, b)
	subscribe(t, b, in, "a")
	publish(t, b, "a", "before")
	for _, server := range c.Servers[:3] {
		if server != c.Primary(t, "a") {
			server.CLI(t, "FUNCTION", "FLUSH")
		}
	}
	c.MoveSlot(t, "a")
	publish(t, b, "a", "after")
	in.await("a", "after")
	require.Equal(t, []string{"before", "after"}, in.payloads("a"))
}

// A primary hangs with its connections open: the others go on, and once it is replaced its
// channels do, too. When it is back, as a replica, nothing comes twice.
func TestClusterPrimaryHangs(t *testing.T) {
	c := redistest.Setup{}.StartCluster(t)
	r := rig{url: c.URL}
	b := r.broker(t, withHistory(100000))
	in := run(t, b)
	hung := c.Primary(t, "a")
	other := "b"
	for i := 0; c.Primary(t, other) == hung; i++ {
		other = fmt.Sprint("b", i)
	}
	subscribe(t, b, in, "a")
	subscribe(t, b, in, other)
	publish(t, b, "a", "before")
	in.await("a", "before")
	hung.Freeze()
	answered := make(chan error, 1)
	require.NoError(t, b.PublishLater("a", []byte("into silence"), func(_ position.Position, err error) { answered <- err }))
	for i := range 100 {
		publish(t, b, other, fmt.Sprint(i))
	}
	in.await(other, "99")
	require.Empty(t, answered, "the others did not wait for it")
	require.Error(t, <-answered)
	var last position.Position
	require.Eventually(t, func() bool {
		p, err := b.Publish(t.Context(), "a", []byte("after"))
		last = p
		return err == nil
	}, patience, 10*time.Millisecond)
	in.await("a", "after")
	hung.Thaw()
	require.Eventually(t, func() bool {
		got := in.of("a")
		return b.Ready() == nil && got[len(got)-1].Position == last
	}, patience, 10*time.Millisecond)
	publish(t, b, "a", "in the end")
	in.await("a", "in the end")
	require.Equal(t, []string{"before", "after", "in the end"}, in.payloads("a"))
	require.Equal(t, numbers(100), in.payloads(other))
}

// A shard dies with its replica: its channels fail, and say where; the others go on.
func TestClusterShardAway(t *testing.T) {
	c := redistest.Setup{Args: []string{"--cluster-require-full-coverage", "no", "--appendonly", "yes"}}.StartCluster(t)
	r := rig{url: c.URL}
	b := r.broker(t, withHistory(100))
	in := run(t, b)
	primary := c.Primary(t, "a")
	other := "b"
	for i := 0; c.Primary(t, other) == primary; i++ {
		other = fmt.Sprint("b", i)
	}
	subscribe(t, b, in, "a")
	subscribe(t, b, in, other)
	publish(t, b, "a", "before")
	shard := c.Shard(t, "a")
	require.Len(t, shard, 2)
	for _, server := range shard {
		server.Kill()
	}
	require.Eventually(t, func() bool { return b.Ready() != nil }, patience, time.Millisecond)
	_, err := b.Publish(t.Context(), "a", []byte("lost"))
	require.ErrorContains(t, err, primary.Addr)
	for i := range 100 {
		publish(t, b, other, fmt.Sprint(i))
	}
	in.await(other, "99")
	for _, server := range shard {
		server.Restart(t)
	}
	awaitReady(t, b)
	require.Eventually(t, func() bool {
		_, err := b.Publish(t.Context(), "a", []byte("after"))
		return err == nil
	}, patience, 10*time.Millisecond)
	in.await("a", "after")
	require.Equal(t, []string{"before", "after"}, in.payloads("a"))
	require.Equal(t, numbers(100), in.payloads(other))
}

// A channel whose name no hash tag can be made for is refused; the others don't mind.
func TestClusterRefusesBraces(t *testing.T) {
	c := redistest.Setup{}.StartCluster(t)
	b := rig{url: c.URL}.broker(t, nil)
	in := run(t, b)
	_, err := b.Publish(t.Context(), "a}b", nil)
	require.ErrorContains(t, err, `"a}b"`)
	subscribe(t, b, in, "{x}y")
	publish(t, b, "{x}y", "m")
	in.await("{x}y", "m")
}
