//go:build linux

package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/server/session"
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

// busyBroker has no room.
type busyBroker struct{ broker.Memory }

func (*busyBroker) PublishLater(string, []byte, func(position.Position, error)) error {
	return broker.ErrBusy
}

// What the broker has no room for is dropped and counted, and the client goes on.
func TestRelayDropsAndCounts(t *testing.T) {
	n := startNode(t, "-handler", "busy-relay")
	c := n.dial("")
	for range 3 {
		require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte("x")))
	}
	require.Eventually(t, func() bool { return n.metric("wsnode_relay_dropped_total") == 3 }, waitFor, poll)
	code, _ := n.post("/publish?channel=broadcast", "still here")
	require.Equal(t, http.StatusNoContent, code)
	require.Equal(t, "still here", receive(t, c))
}

func init() {
	handlers["busy-relay"] = func(n *node) session.Handler { return relay{&busyBroker{}, &n.relayDropped} }
}
