//go:build linux

package measure

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// The configurations have what weighs on a connection as the roles set it (buffers, forwarded address), and one node.

func haproxy(t *testing.T, layer int, node *nodetest.Node) (p *process, addr, metrics string) {
	addr, stats := tcptest.FreeAddr(t), tcptest.FreeAddr(t)
	mode := map[int]string{7: "mode http\n    option http-keep-alive\n    option forwardfor", 4: "mode tcp"}[layer]
	file := write(t, "haproxy.cfg", fmt.Sprintf(`
global
    maxconn %d
    nbthread 1
    tune.bufsize 8192
    tune.maxrewrite 1024
defaults
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend edge
    %s
    bind %s
    default_backend nodes
backend nodes
    %s
    balance leastconn
    server a %s
frontend stats
    mode http
    bind %s
    http-request use-service prometheus-exporter
`, connections()+100, mode, addr, strings.Split(mode, "\n")[0], node.Listen, stats))
	return start(t, addr, "haproxy", "-db", "-f", file), addr, "http://" + stats + "/metrics?scope=global&scope=frontend&scope=backend"
}

func nginx(t *testing.T, layer int, node *nodetest.Node) (p *process, addr, metrics string) {
	addr = tcptest.FreeAddr(t)
	modules, server := "", fmt.Sprintf(`
http {
    access_log off;
    upstream nodes { least_conn; server %s; }
    server {
        listen %s;
        location / {
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffer_size 2k;
            proxy_buffers 2 2k;
            proxy_busy_buffers_size 2k;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
        }
    }
}`, node.Listen, addr)
	if layer == 4 {
		modules = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
		server = fmt.Sprintf(`
stream {
    upstream nodes { least_conn; server %s; }
    server { listen %s; proxy_pass nodes; proxy_buffer_size 1k; proxy_timeout 1h; }
}`, node.Listen, addr)
	}
	dir := t.TempDir()
	file := write(t, "nginx.conf", fmt.Sprintf("%s\nworker_processes 1;\npid %s/pid;\nerror_log stderr crit;\nevents { worker_connections %d; }\n%s\n",
		modules, dir, 2*connections()+100, server))
	return start(t, addr, "nginx", "-c", file, "-g", "daemon off;"), addr, ""
}

func write(t *testing.T, name, text string) string {
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// series counts those that a page of metrics has.
func series(t *testing.T, url string) float64 {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	count := 0
	for line := range lines(t, resp.Body) {
		if !strings.HasPrefix(line, "#") {
			count++
		}
	}
	require.Positive(t, count, "no series at %s", url)
	return float64(count)
}

// lines are those of a text, without empty ones.
func lines(t *testing.T, r io.Reader) iter.Seq[string] {
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return strings.FieldsFuncSeq(string(text), func(c rune) bool { return c == '\n' })
}

// median takes each figure from the round in the middle by that figure.
func median(rounds []edgeCost) edgeCost {
	of := func(get func(edgeCost) float64) float64 {
		var list []float64
		for _, r := range rounds {
			list = append(list, get(r))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	return edgeCost{
		kib:       of(func(c edgeCost) float64 { return c.kib }),
		connect:   of(func(c edgeCost) float64 { return c.connect }),
		heartbeat: of(func(c edgeCost) float64 { return c.heartbeat }),
		echo:      of(func(c edgeCost) float64 { return c.echo }),
		delivery:  of(func(c edgeCost) float64 { return c.delivery }),
		series:    rounds[0].series,
	}
}
