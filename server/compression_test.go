//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// With -compression a broadcast reaches those who can take it compressed, and the
// others as it is.
func TestCompression(t *testing.T) {
	n := startNode(t, "-compression")
	d := websocket.Dialer{EnableCompression: true}
	var squeezed []*websocket.Conn
	for range 3 {
		c, resp, err := d.Dial(n.ws, nil)
		require.NoError(t, err)
		defer c.Close()
		require.Contains(t, resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
		squeezed = append(squeezed, c)
	}
	plain := n.dial("")
	news := strings.Repeat("price: 100; ", 10_000)
	before := n.metric("wsnode_bytes_sent_total")
	code, _ := n.post("/publish?channel=broadcast", news)
	require.Equal(t, 204, code)
	for _, c := range append(squeezed, plain) {
		require.Equal(t, news, receive(t, c))
	}
	require.InDelta(t, len(news), n.metric("wsnode_bytes_sent_total")-before, float64(len(news))/10, "one plain copy, three small ones")

	require.NoError(t, squeezed[0].WriteMessage(websocket.TextMessage, []byte(news)))
	require.Equal(t, "Server received: "+news, receive(t, squeezed[0]))
}

func TestNoCompressionByDefault(t *testing.T) {
	n := startNode(t)
	d := websocket.Dialer{EnableCompression: true}
	c, resp, err := d.Dial(n.ws, nil)
	require.NoError(t, err)
	defer c.Close()
	require.Empty(t, resp.Header.Get("Sec-WebSocket-Extensions"))
}
