package edgetest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// Nginx runs the Nginx of the role until the test ends, with the health checks that HAProxy has built in. It returns
// the address for clients and the one for statistics.
func Nginx(t *testing.T, edge Edge) (addr, stats string) {
	t.Helper()
	program := Program(t, "nginx", "nginx")
	dir := t.TempDir()
	port, statsPort := tcptest.FreePort(t), tcptest.FreePort(t)
	config, list, upstream := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "nodes.conf"), filepath.Join(dir, "upstream.conf")
	vars := Vars{
		"nginx_port":                   port,
		"nginx_status_port":            statsPort,
		"nginx_layer":                  edge.Layer,
		"nginx_nodes":                  edge.Nodes,
		"nginx_workers":                2,
		"nginx_connections_per_worker": 500,
		"nginx_open_files":             2000,
		"nginx_handshake_timeout":      fmt.Sprintf("%ds", int(HandshakeTimeout.Seconds())),
		"_nginx_nodes_file":            list,
		"_nginx_upstream_file":         upstream,
	}
	maps.Copy(vars, edge.Vars)
	Render(t, "nginx", vars, map[string]string{Dir("..", "nginx", "nodes.conf.j2"): list, Dir("..", "nginx", "nginx.conf.j2"): config})
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(upstream, text, 0o644))

	// The system's own Nginx may be running.
	text, err = os.ReadFile(config)
	require.NoError(t, err)
	private := strings.NewReplacer("/run/nginx.pid", dir+"/pid", "/var/log/nginx/error.log", "stderr").Replace(string(text))
	require.NoError(t, os.WriteFile(config, []byte(private), 0o644))
	Command(t, "nginx", "nginx", "-t", "-c", config)

	addr, stats = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", statsPort)
	Daemon(t, addr, exec.Command(program, "-c", config, "-g", "daemon off;"))
	Daemon(t, "", exec.Command(Dir("..", "nginx", "nodes-ready.py"),
		"--nodes", list, "--upstream", upstream,
		"--interval", "0.5", "--down-after", "2", "--up-after", "1", "--reload-gap", "3",
		"--", program, "-c", config, "-s", "reload"))
	return addr, stats
}
