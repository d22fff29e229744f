package edgetest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// perAddress is how many connections the real nodes allow one address. They must count the clients, not the balancer.
const perAddress = 40

// runWsnodes is what a balancer and real nodes must do together, each with the settings that its role renders.
func runWsnodes(t *testing.T, start Start, layer int) {
	t.Run("limits of the nodes are the client's", func(t *testing.T) {
		_, addr := wsnodes(t, start, layer, 1)
		for range perAddress {
			_, _, err := DialAs(t, "127.0.0.2", addr, nil)
			require.NoError(t, err)
		}
		// What a client says of itself is worth nothing.
		_, answer, err := DialAs(t, "127.0.0.2", addr, http.Header{"X-Forwarded-For": {"198.51.100.1"}})
		require.ErrorIs(t, err, websocket.ErrBadHandshake)
		assert.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
		c, _, err := DialAs(t, "127.0.0.3", addr, nil)
		require.NoError(t, err)
		echo(t, c, "hello")
	})

	t.Run("a handshake of several kilobytes passes", func(t *testing.T) {
		_, addr := wsnodes(t, start, layer, 1)
		c, _, err := DialAs(t, "127.0.0.2", addr, http.Header{"Cookie": {strings.Repeat("c", 6<<10)}})
		require.NoError(t, err)
		echo(t, c, strings.Repeat("long ", 100_000))
	})

	t.Run("a killed node takes only its own connections", func(t *testing.T) {
		nodes, addr := wsnodes(t, start, layer, 3)
		conns := make([]*websocket.Conn, 12)
		for i := range conns {
			conns[i] = dial(t, addr)
		}
		require.NoError(t, nodes[0].Cmd.Process.Kill())
		<-nodes[0].Exited
		for range 6 {
			echo(t, dial(t, addr), "still served")
		}
		lost := 0
		for _, c := range conns {
			if alive(t, c) {
				continue
			}
			lost++
		}
		assert.Equal(t, 4, lost, "a third of the connections were the dead node's")
	})

	t.Run("a draining node gets nothing", func(t *testing.T) {
		nodes, addr := wsnodes(t, start, layer, 2)
		held := []*websocket.Conn{dial(t, addr), dial(t, addr)}
		resp, err := nodes[0].HTTP.Post(nodes[0].Admin+"/drain", "", nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		restarts := 0
		for _, c := range held {
			require.NoError(t, c.SetReadDeadline(time.Now().Add(2*time.Second)))
			_, _, err := c.ReadMessage()
			if websocket.IsCloseError(err, websocket.CloseServiceRestart) {
				restarts++
			} else {
				assert.True(t, timedOut(err), "%v", err)
			}
		}
		assert.Equal(t, 1, restarts)
		for range 10 {
			echo(t, dial(t, addr), "hello")
		}
		assert.EqualValues(t, 11, nodes[1].Metric("wsnode_connections"))
	})

	t.Run("a client that does not finish its handshake is cut off", func(t *testing.T) {
		_, addr := wsnodes(t, start, layer, 1)
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n"))
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(4*HandshakeTimeout)))
		_, err = io.Copy(io.Discard, c)
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "still open after %s", 4*HandshakeTimeout)
	})
}

// alive says whether a connection still gets its answer.
func alive(t *testing.T, c *websocket.Conn) bool {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	if c.WriteMessage(websocket.TextMessage, []byte("hello")) != nil {
		return false
	}
	_, _, err := c.ReadMessage()
	require.False(t, timedOut(err), "neither an answer nor an end")
	return err == nil
}

// timedOut looks at an error of a WebSocket, which hides its cause.
func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// wsnodes starts real nodes behind a balancer on 127.0.0.1, whom they trust.
func wsnodes(t *testing.T, start Start, layer, count int) ([]*nodetest.Node, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wsnode.env")
	Render(t, "wsnode", Vars{
		"ansible_facts":          Vars{"host_cpus": 1},
		"wsnode_trusted_proxies": []string{"127.0.0.1"},
		"wsnode_proxy_protocol":  layer == 4,
		"wsnode_options": Vars{
			"max-connections-per-address": perAddress, "handshake-timeout": HandshakeTimeout.String(), "drain-time": "0s",
		},
	}, map[string]string{"wsnode.env.j2": file})
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	setup := nodetest.Setup{Wrap: []string{"env"}}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			setup.Wrap = append(setup.Wrap, line)
		}
	}
	var nodes []*nodetest.Node
	edge := Edge{Layer: layer}
	for i := range count {
		n := setup.Start(t)
		nodes = append(nodes, n)
		edge.Nodes = append(edge.Nodes, Vars{
			"name": "node-" + strconv.Itoa(i), "address": "127.0.0.1",
			"port": portOf(t, n.Listen), "ready_port": portOf(t, strings.TrimPrefix(n.Admin, "http://")),
		})
	}
	return nodes, start(t, edge)
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}
