package edgetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// HAProxy runs the HAProxy of the role in front of the nodes until the test ends. It returns the address for
// clients and the one for statistics.
func HAProxy(t *testing.T, nodes []Vars) (edge, stats string) {
	t.Helper()
	program := Program(t, "haproxy", "haproxy")
	port, statsPort := tcptest.FreePort(t), tcptest.FreePort(t)
	config := filepath.Join(t.TempDir(), "wsfleet.cfg")
	Render(t, "haproxy", Vars{
		"haproxy_port":                    port,
		"haproxy_nodes":                   nodes,
		"haproxy_connections_per_process": 500,
		"haproxy_threads":                 1,
		"haproxy_handshake_timeout":       HandshakeTimeout.String(),
	}, map[string]string{"wsfleet.cfg.j2": config})
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
	edge, stats = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", statsPort)
	Daemon(t, edge, cmd)
	return edge, stats
}
