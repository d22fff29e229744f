package edgetest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// HAProxy runs the HAProxy of the role until the test ends. It returns the address for clients and the one for
// statistics.
func HAProxy(t *testing.T, edge Edge) (addr, stats string) {
	t.Helper()
	program := Program(t, "haproxy", "haproxy")
	port, statsPort := tcptest.FreePort(t), tcptest.FreePort(t)
	config := filepath.Join(t.TempDir(), "wsfleet.cfg")
	vars := Vars{
		"haproxy_port":                    port,
		"haproxy_layer":                   edge.Layer,
		"haproxy_nodes":                   edge.Nodes,
		"haproxy_connections_per_process": 500,
		"haproxy_threads":                 1,
		"haproxy_handshake_timeout":       HandshakeTimeout.String(),
	}
	maps.Copy(vars, edge.Vars)
	Render(t, "haproxy", vars, map[string]string{"wsfleet.cfg.j2": config})
	if os.Getuid() != 0 {
		// Only root may change to another user.
		text, err := os.ReadFile(config)
		require.NoError(t, err)
		text = regexp.MustCompile(`(?m)^    (user|group) haproxy$`).ReplaceAll(text, nil)
		require.NoError(t, os.WriteFile(config, text, 0o644))
	}
	Command(t, "haproxy", "haproxy", "-c", "-f", config)

	cmd := exec.Command(program, "-db", "-f", config)
	cmd.Env = append(os.Environ(), fmt.Sprintf("HAPROXY_STATS_PORT=%d", statsPort), "HAPROXY_RUN="+t.TempDir())
	addr, stats = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", statsPort)
	Daemon(t, addr, cmd)
	return addr, stats
}
