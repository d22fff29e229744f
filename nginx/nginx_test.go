package nginx_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// Nginx with its health checks must do what HAProxy does by itself.
func TestNginx(t *testing.T) {
	edgetest.Run(t, startNginx)
}

func startNginx(t *testing.T, nodes []edgetest.Vars) string {
	t.Helper()
	program := edgetest.Program(t, "nginx", "nginx")
	dir := t.TempDir()
	port := edgetest.FreePort(t)
	config, list, upstream := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "nodes.conf"), filepath.Join(dir, "upstream.conf")
	edgetest.Render(t, "nginx", edgetest.Vars{
		"nginx_port":                   port,
		"nginx_status_port":            edgetest.FreePort(t),
		"nginx_nodes":                  nodes,
		"nginx_workers":                2,
		"nginx_connections_per_worker": 500,
		"nginx_open_files":             2000,
		"nginx_handshake_timeout":      fmt.Sprintf("%ds", int(edgetest.HandshakeTimeout.Seconds())),
		"_nginx_nodes_file":            list,
		"_nginx_upstream_file":         upstream,
	}, map[string]string{here(t, "nodes.conf.j2"): list, here(t, "nginx.conf.j2"): config})
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(upstream, text, 0o644))

	// The system's own Nginx may be running.
	text, err = os.ReadFile(config)
	require.NoError(t, err)
	private := strings.NewReplacer("/run/nginx.pid", dir+"/pid", "/var/log/nginx/error.log", "stderr").Replace(string(text))
	require.NoError(t, os.WriteFile(config, []byte(private), 0o644))
	edgetest.Command(t, "nginx", "nginx", "-t", "-c", config)

	addr := fmt.Sprintf("127.0.0.1:%d", port)
	edgetest.Daemon(t, addr, exec.Command(program, "-c", config, "-g", "daemon off;"))
	edgetest.Daemon(t, "", exec.Command(here(t, "nodes-ready.py"),
		"--nodes", list, "--upstream", upstream,
		"--interval", "0.5", "--down-after", "2", "--up-after", "1", "--reload-gap", "3",
		"--", program, "-c", config, "-s", "reload"))
	return addr
}

func here(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	require.NoError(t, err)
	return path
}
