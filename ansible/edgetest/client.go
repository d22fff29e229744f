package edgetest

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dial opens a WebSocket through the balancer at addr.
func dial(t *testing.T, addr string) *websocket.Conn {
	t.Helper()
	c, _, err := DialAs(t, "127.0.0.1", addr, nil)
	require.NoError(t, err)
	return c
}

// DialAs opens one from a local address, with further headers. It ends with the test.
func DialAs(t *testing.T, from, addr string, header http.Header) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, answer, err := (&websocket.Dialer{NetDialContext: local.DialContext}).DialContext(ctx, "ws://"+addr, header)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, answer, err
}

// closeAtEnd does what clients do when the other end closes: in layer 4 the balancer keeps the connection until then.
func closeAtEnd(c *websocket.Conn) {
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			c.Close()
			return
		}
	}
}

func echo(t *testing.T, c *websocket.Conn, message string) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte(message)))
	_, got, err := c.ReadMessage()
	require.NoError(t, err)
	assert.Equal(t, "Server received: "+message, string(got))
}
