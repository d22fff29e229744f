// Package ansible_test holds the roles to what they promise, with the real programs on loopback.
package ansible_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

func TestHAProxy(t *testing.T) {
	edgetest.Run(t, func(t *testing.T, nodes []edgetest.Vars) string {
		addr, _ := startHAProxy(t, nodes)
		return addr
	})
}

func TestHAProxyExportsMetrics(t *testing.T) {
	node := edgetest.StartNode(t, "node-0")
	_, stats := startHAProxy(t, []edgetest.Vars{node.Vars()})
	answer, err := http.Get("http://" + stats + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `haproxy_server_status{proxy="nodes",server="node-0",state="UP"} 1`)
}

// startHAProxy returns the address for clients and the one for statistics.
func startHAProxy(t *testing.T, nodes []edgetest.Vars) (edge, stats string) {
	t.Helper()
	program := edgetest.Program(t, "haproxy", "haproxy")
	port, statsPort := edgetest.FreePort(t), edgetest.FreePort(t)
	config := filepath.Join(t.TempDir(), "wsfleet.cfg")
	edgetest.Render(t, "haproxy", edgetest.Vars{
		"haproxy_port":                    port,
		"haproxy_nodes":                   nodes,
		"haproxy_connections_per_process": 500,
		"haproxy_threads":                 1,
		"haproxy_handshake_timeout":       edgetest.HandshakeTimeout.String(),
	}, map[string]string{"wsfleet.cfg.j2": config})
	if os.Getuid() != 0 {
		// Only root may change to another user.
		text, err := os.ReadFile(config)
		require.NoError(t, err)
		text = regexp.MustCompile(`(?m)^    (user|group) haproxy$`).ReplaceAll(text, nil)
		require.NoError(t, os.WriteFile(config, text, 0o644))
	}
	edgetest.Command(t, "haproxy", "haproxy", "-c", "-f", config)

	cmd := exec.Command(program, "-db", "-f", config)
	cmd.Env = append(os.Environ(), fmt.Sprintf("HAPROXY_STATS_PORT=%d", statsPort), "HAPROXY_RUN="+t.TempDir())
	edge, stats = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", statsPort)
	edgetest.Daemon(t, edge, cmd)
	return edge, stats
}
