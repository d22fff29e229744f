//go:build linux

package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// With marks that any machine is above, every handshake is refused and readiness
// says why; who is connected is not touched by it (TestMarksDoNotFlutter).
func TestMemoryGuardRefuses(t *testing.T) {
	cfg := Config{MemoryHigh: 2, MemoryLow: 1}
	require.InDelta(t, 0.02, cfg.memoryMarks().High, 1e-9)

	listen, admin := tcptest.FreeAddr(t), tcptest.FreeAddr(t)
	n := &testNode{t: t, ws: "ws://" + listen + "/", admin: "http://" + admin, log: &lockedBuffer{}}
	done := make(chan error, 1)
	ctx := t.Context()
	go func() {
		done <- runNode(ctx, []string{"-listen", listen, "-admin", admin, "-memory-high", "2", "-memory-low", "1"}, noEnv, n.log)
	}()
	require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusServiceUnavailable }, 10*time.Second, 5*time.Millisecond, "%s", n.log)
	_, resp, err := websocket.DefaultDialer.Dial(n.ws, nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.EqualValues(t, 1, n.metric(`wsnode_handshakes_rejected_total{reason="memory"}`))
	require.EqualValues(t, 1, n.metric("wsnode_memory_short"))
}

func TestSeveralListenAddresses(t *testing.T) {
	second := tcptest.FreeAddr(t)
	n := startNode(t, "-listen", "127.0.0.1:0,"+second)
	c, _, err := websocket.DefaultDialer.Dial("ws://"+second+"/", nil)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte("x")))
	require.Equal(t, "Server received: x", receive(t, c))
	require.EqualValues(t, 1, n.metric("wsnode_connections"))
}
