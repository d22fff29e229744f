//go:build linux

package siege

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// slowClient is a connection whose peer sends a byte now and then.
type slowClient struct {
	net.Conn
	ws   *websocket.Conn // nil until the handshake is done
	rest []byte          // what is still to be sent
	text string          // of the message that is being sent, if one is
}

// slowHandshake begins a handshake that will not end in time.
func slowHandshake(t *testing.T, n *node) *slowClient {
	t.Helper()
	conn, err := net.Dial("tcp4", n.Listen)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &slowClient{Conn: conn, rest: []byte(handshake)}
}

// slowFrame is done with the handshake and begins a text message.
func slowFrame(t *testing.T, n *node, i int) *slowClient {
	t.Helper()
	dialer := websocket.Dialer{ReadBufferSize: 256, WriteBufferSize: 256} // thousands of them
	ws, _, err := dialer.Dial(n.URL(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ws.Close() })
	c := &slowClient{Conn: ws.NetConn(), ws: ws, text: fmt.Sprintf("message %1000d", i)}
	c.rest = frame.AppendMasked(nil, frame.Text, [4]byte{1, 2, 3, byte(i)}, []byte(c.text))
	return c
}

// refused waits for the end of a handshake and returns the status of the answer.
func (c *slowClient) refused(t *testing.T) int {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	_, err = in.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the node closes")
	return resp.StatusCode
}

// finish sends the rest of the frame at once and returns the answer to the message.
func (c *slowClient) finish(t *testing.T) string {
	t.Helper()
	_, err := c.Write(c.rest)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, answer, err := c.ws.ReadMessage()
	require.NoError(t, err)
	return string(answer)
}

// dribble sends a byte on each connection in every such time, evenly spread, until
// stop is called or the test ends. Stop returns how many bytes were sent.
func dribble(t *testing.T, clients []*slowClient, every time.Duration) (stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan int, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		bytes, next, start := 0, 0, time.Now()
		for ctx.Err() == nil {
			due := int(time.Since(start).Seconds() / every.Seconds() * float64(len(clients)))
			for ; next < due; next++ {
				bytes += clients[next%len(clients)].sendByte()
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
		sent <- bytes
	}()
	return func() int {
		cancel()
		return <-sent
	}
}

// sendByte returns how many bytes were sent: none to a node that has refused the
// client and closed.
func (c *slowClient) sendByte() int {
	n, _ := c.Write(c.rest[:min(1, len(c.rest))])
	c.rest = c.rest[n:]
	return n
}
