package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
)

// smallQueue has room for some hundred messages.
const smallQueue = 64 << 10

// overwhelm publishes n messages to a receiver that takes none until all have come.
func overwhelm(t *testing.T, b broker.Broker, in *inbox, channel string, n int) {
	t.Helper()
	in.block()
	received := b.Stats().Received.Load()
	for i := range n {
		publish(t, b, channel, strconv.Itoa(i))
	}
	require.Eventually(t, func() bool { return b.Stats().Received.Load() == received+uint64(n) }, patience, time.Millisecond)
	require.LessOrEqual(t, b.Stats().Waiting.Load(), int64(smallQueue))
	require.Positive(t, b.Stats().Dropped.Load())
	require.Eventually(t, func() bool { return b.Stats().Lag() > 0 }, patience, time.Millisecond)
	in.release()
}

func slowReceiver(t *testing.T, r rig) {
	b := r.broker(t, func(c *broker.Config) {
		withHistory(5000)(c)
		c.Queue = smallQueue
	})
	in := run(t, b)
	subscribe(t, b, in, "slow")
	subscribe(t, b, in, "beside it")
	overwhelm(t, b, in, "slow", 2000)
	publish(t, b, "beside it", "x")
	in.await("beside it", "x")
	in.await("slow", "1999") // without another message to show the gap
	require.Equal(t, numbers(2000), in.payloads("slow"))
	require.Zero(t, in.lost("slow"))
	s := b.Stats()
	require.Zero(t, s.Lost.Load())
	require.GreaterOrEqual(t, s.Recovered.Load(), s.Dropped.Load())
	require.Eventually(t, func() bool { return s.Waiting.Load() == 0 && s.Lag() == 0 }, patience, time.Millisecond)
	require.Positive(t, s.Gaps.Recovered.Load())
	require.Zero(t, s.Gaps.Lost.Load()+s.Gaps.Unknown.Load())
}

func slowReceiverLoses(t *testing.T, r rig) {
	b := r.broker(t, func(c *broker.Config) { c.Queue = smallQueue })
	in := run(t, b)
	subscribe(t, b, in, "slow, lossy")
	overwhelm(t, b, in, "slow, lossy", 2000)
	s := b.Stats()
	require.Eventually(t, func() bool { return s.Lost.Load() == s.Dropped.Load() }, patience, time.Millisecond)
	publish(t, b, "slow, lossy", "after")
	in.await("slow, lossy", "after")
	require.EqualValues(t, s.Dropped.Load(), in.lost("slow, lossy"))
	require.EqualValues(t, 2001, int64(len(in.of("slow, lossy")))+in.lost("slow, lossy"))
	require.Zero(t, s.Gaps.Unknown.Load())
}

func blockedReceiver(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	subscribe(t, b, in, "blocked")
	in.block()
	publish(t, b, "blocked", "x")
	require.Eventually(t, func() bool { return b.Stats().Lag() > 0 }, patience, time.Millisecond)
	// Loops call these; they must not wait for delivery.
	b.Subscribe("another")
	b.Unsubscribe("another")
	publish(t, b, "blocked", "y")
	require.NoError(t, b.Ready())
	in.release()
	in.await("blocked", "y")
}

func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	return all
}

func connectionLost(t *testing.T, r rig) {
	b := r.broker(t, withHistory(100000))
	in := run(t, b)
	subscribe(t, b, in, "cut")
	sent := 0
	for b.Stats().Gaps.Recovered.Load() < 3 {
		r.cut(t)
		for range 200 {
			publish(t, b, "cut", strconv.Itoa(sent))
			sent++
		}
		in.await("cut", strconv.Itoa(sent-1)) // without another message to show the gap
	}
	require.Equal(t, numbers(sent), in.payloads("cut"))
	require.Zero(t, in.lost("cut"))
	require.Positive(t, b.Stats().Reconnects.Load())
	require.Zero(t, b.Stats().Gaps.Unknown.Load())
}

func connectionLostCounted(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	subscribe(t, b, in, "counted loss")
	sent := 0
	for b.Stats().Gaps.Lost.Load() < 3 {
		r.cut(t)
		for range 200 {
			publish(t, b, "counted loss", strconv.Itoa(sent))
			sent++
		}
		awaitAccount(t, b, in, "counted loss", sent)
	}
	publish(t, b, "counted loss", "after")
	in.await("counted loss", "after")
	require.EqualValues(t, b.Stats().Lost.Load(), in.lost("counted loss"))
	require.Zero(t, b.Stats().Gaps.Unknown.Load())
}

// awaitAccount returns once each of n messages was either delivered or counted as lost.
func awaitAccount(t *testing.T, b broker.Broker, in *inbox, channel string, n int) {
	t.Helper()
	account := func() int { return len(in.of(channel)) + int(b.Stats().Lost.Load()) }
	for deadline := time.Now().Add(patience); account() != n && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	require.Equal(t, n, account(), "%d delivered, %d lost", len(in.of(channel)), b.Stats().Lost.Load())
}

// published is what somebody sent while the server was away now and then.
type published struct {
	acknowledged []string          // in order
	last         position.Position // of the last of them
	attempts     int
}

// stream publishes on channel, from one goroutine, until stop is closed.
func stream(t *testing.T, b broker.Broker, channel string, stop <-chan struct{}) *published {
	out := &published{}
	for {
		select {
		case <-stop:
			return out
		case <-time.After(2 * time.Millisecond):
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		payload := fmt.Sprintf("%s %d", channel, out.attempts)
		out.attempts++
		p, err := b.Publish(ctx, channel, []byte(payload))
		cancel()
		if err == nil {
			out.acknowledged, out.last = append(out.acknowledged, payload), p
		} else if !strings.Contains(err.Error(), "publish") {
			t.Errorf("unclear: %v", err)
		}
	}
}

// duringCrashes streams on channel through b while the server crashes some times.
func duringCrashes(t *testing.T, r rig, b broker.Broker, channel string) *published {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var out *published
	wg.Go(func() { out = stream(t, b, channel, stop) })
	for range 2 {
		sent := b.Stats().Published.Load()
		require.Eventually(t, func() bool { return b.Stats().Published.Load() > sent+50 }, patience, time.Millisecond)
		r.crash(t, channel)
	}
	awaitReady(t, b)
	sent := b.Stats().Published.Load()
	require.Eventually(t, func() bool { return b.Stats().Published.Load() > sent+50 }, patience, time.Millisecond)
	close(stop)
	wg.Wait()
	return out
}

func serverCrashes(t *testing.T, r rig) {
	one, two := r.broker(t, withHistory(100000)), r.broker(t, withHistory(100000))
	inboxes := []*inbox{run(t, one), run(t, two)}
	subscribe(t, one, inboxes[0], "crash")
	subscribe(t, two, inboxes[1], "crash")
	out := duringCrashes(t, r, one, "crash")
	for i, b := range []broker.Broker{one, two} {
		awaitReady(t, b)
		require.Eventually(t, func() bool {
			got := inboxes[i].of("crash")
			return len(got) > 0 && got[len(got)-1].Position == out.last
		}, patience, 5*time.Millisecond, "%v", out.last)
		requireStream(t, out, inboxes[i].payloads("crash"))
		require.Zero(t, inboxes[i].lost("crash"))
		require.Zero(t, b.Stats().Lost.Load()+b.Stats().Gaps.Unknown.Load())
	}
}

// requireStream checks that got has every acknowledged message, each once and in order. It
// may have others, whose publisher never heard that they were published.
func requireStream(t *testing.T, out *published, got []string) {
	t.Helper()
	next := 0
	seen := make(map[string]bool)
	for _, m := range got {
		require.False(t, seen[m], "%s came twice", m)
		seen[m] = true
		if next < len(out.acknowledged) && m == out.acknowledged[next] {
			next++
		}
	}
	require.Equal(t, len(out.acknowledged), next, "missing, or out of order: %q", out.acknowledged[min(next, len(out.acknowledged)-1)])
}

func serverCrashesCounted(t *testing.T, r rig) {
	one, two := r.broker(t, nil), r.broker(t, nil)
	inboxes := []*inbox{run(t, one), run(t, two)}
	bases := []position.Position{subscribe(t, one, inboxes[0], "crash, lossy"), subscribe(t, two, inboxes[1], "crash, lossy")}
	out := duringCrashes(t, r, one, "crash, lossy")
	for i, b := range []broker.Broker{one, two} {
		awaitReady(t, b)
		awaitAccount(t, b, inboxes[i], "crash, lossy", int(out.last.Offset-bases[i].Offset))
		require.Zero(t, b.Stats().Gaps.Unknown.Load())
		got := inboxes[i].payloads("crash, lossy")
		require.Equal(t, len(got), len(slices.Compact(slices.Clone(got))))
	}
}

func serverCrashesBuffered(t *testing.T, r rig) {
	b := r.broker(t, func(c *broker.Config) {
		withHistory(100000)(c)
		c.PublishBuffer = patience
	})
	in := run(t, b)
	subscribe(t, b, in, "buffered")
	var mu sync.Mutex
	var failures []error
	const n = 3000
	for i := range n {
		if i%1000 == 500 {
			r.crash(t, "buffered")
		}
		require.NoError(t, b.PublishLater("buffered", []byte(strconv.Itoa(i)), func(_ position.Position, err error) {
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, err)
		}))
	}
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(failures) == n
	}, patience, time.Millisecond)
	require.NoError(t, errors.Join(failures...))
	in.await("buffered", strconv.Itoa(n-1))
	require.Equal(t, numbers(n), in.payloads("buffered"))
}
