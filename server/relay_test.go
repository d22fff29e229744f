//go:build linux

package main

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

const (
	waitFor = 10 * time.Second
	poll    = 5 * time.Millisecond
)

func TestRelay(t *testing.T) {
	n := startNode(t, "-handler", "relay")
	everyone, a, ab, b := n.dial(""), n.dial("?channel=a"), n.dial("?channel=a&channel=b"), n.dial("?channel=b")
	say := func(c *websocket.Conn, m string) {
		require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte(m)))
	}

	say(a, "to a")
	require.Equal(t, "to a", receive(t, a), "the speaker hears it, too")
	require.Equal(t, "to a", receive(t, ab))
	say(ab, "the first channel counts")
	require.Equal(t, "the first channel counts", receive(t, a))
	require.Equal(t, "the first channel counts", receive(t, ab))
	say(b, "to b")
	require.Equal(t, "to b", receive(t, ab))
	require.Equal(t, "to b", receive(t, b))
	say(everyone, "to all")
	for _, c := range []*websocket.Conn{everyone, a, ab, b} {
		require.Equal(t, "to all", receive(t, c), "nobody got anything else before")
	}
	require.Zero(t, n.metric("wsnode_relay_dropped_total"))
}

// Messages of one client arrive in order, on another node, through Redis.
func TestRelayThroughRedis(t *testing.T) {
	redis := redistest.Start(t)
	args := []string{"-handler", "relay", "-broker", redis.URL}
	here, there := startNode(t, args...), startNode(t, args...)
	speaker, listener := here.dial("?channel=room"), there.dial("?channel=room")
	require.Eventually(t, func() bool { return redis.CLI(t, "PUBSUB", "NUMSUB", "room") == "room\n2" }, waitFor, poll)
	const messages = 500
	go func() {
		for i := range messages {
			_ = speaker.WriteMessage(websocket.TextMessage, fmt.Append(nil, i))
		}
	}()
	for i := range messages {
		require.Equal(t, fmt.Sprint(i), receive(t, listener))
	}
}

// stuckBroker takes nothing until it is told to.
type stuckBroker struct {
	broker.Memory
	open chan struct{}
	mu   sync.Mutex
	got  map[string][]string // guarded by mu
}

func (b *stuckBroker) Publish(ctx context.Context, channel string, payload []byte) (position.Position, error) {
	select {
	case <-b.open:
	case <-ctx.Done():
		return position.Position{}, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got[channel] = append(b.got[channel], string(payload))
	return position.Position{}, nil
}

// A broker that takes nothing stops no loop: what finds no room is dropped and
// counted, and what was taken arrives in order.
func TestPublisherDropsAndCounts(t *testing.T) {
	b := &stuckBroker{open: make(chan struct{}), got: map[string][]string{}}
	p := newPublisher(b)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.run(ctx) }()

	const messages = publishQueue + 500
	began := time.Now()
	p.publish("a", []byte("0"))
	// Only once the worker holds the first message is it certain which find room.
	lane := p.lanes[maphash.String(p.seed, "a")%publishLanes]
	require.Eventually(t, func() bool { return len(lane) == 0 }, waitFor, poll)
	for i := 1; i < messages; i++ {
		p.publish("a", fmt.Append(nil, i))
	}
	require.Less(t, time.Since(began), time.Second, "publish waits for nobody")
	// One more than the queue holds is on its way to the broker.
	require.EqualValues(t, messages-publishQueue-1, p.dropped.Load())
	taken := messages - int(p.dropped.Load())

	before := p.dropped.Load()
	large := make([]byte, publishQueueBytes)
	p.publish("b", large)
	require.Equal(t, before+1, p.dropped.Load(), "no room in bytes")

	close(b.open)
	require.Eventually(t, func() bool { return p.waiting.Load() == 0 }, waitFor, poll)
	p.publish("b", append(large, 0))
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.got["b"]) == 1
	}, waitFor, poll, "larger than the bound, but nothing else waited")
	for i, m := range b.got["a"] {
		require.Equal(t, fmt.Sprint(i), m)
	}
	require.Len(t, b.got["a"], taken)
	stop()
	require.NoError(t, <-done)
}
