//go:build linux

package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// A process that was stopped for longer than the heartbeat timeout comes back with
// every connection: what its clients sent meanwhile lies in the sockets.
func TestStalledProcessKeepsItsConnections(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "wsnode")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	listen, admin := freePort(t), freePort(t)
	cmd := exec.Command(bin, "-listen", listen, "-admin", admin, "-heartbeat-interval", "1s", "-heartbeat-timeout", "3s", "-log-level", "warn")
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	n := &testNode{t: t, ws: "ws://" + listen + "/", admin: "http://" + admin}
	require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusOK }, 10*time.Second, 5*time.Millisecond)

	const clients = 300
	var echoed atomic.Int64
	conns := make([]*websocket.Conn, clients)
	for i := range conns {
		c, _, err := websocket.DefaultDialer.Dial(n.ws, nil)
		require.NoError(t, err)
		defer c.Close()
		conns[i] = c
		go func() { // answers pings, too
			for {
				if _, _, err := c.ReadMessage(); err != nil {
					return
				}
				echoed.Add(1)
			}
		}()
	}
	time.Sleep(2 * time.Second) // heartbeats are under way

	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	for _, c := range conns {
		require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte("sent while it stood still")))
	}
	time.Sleep(7 * time.Second) // over twice the heartbeat timeout
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))

	require.Eventually(t, func() bool { return echoed.Load() == clients }, 10*time.Second, 10*time.Millisecond)
	time.Sleep(4 * time.Second) // longer than the timeout: nobody is cut off late either
	require.EqualValues(t, clients, n.metric("wsnode_connections"))
	require.EqualValues(t, 0, n.metric(`wsnode_closed_total{reason="heartbeat_timeout"}`))
}
