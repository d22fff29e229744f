package grafana_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// A panel that asks for what nobody exports is as empty as one with a spelling mistake. So every query of every panel
// and rule runs on a real Prometheus that scrapes the real programs, and must bring something back.
func TestQueriesFindData(t *testing.T) {
	prometheus := startFleet(t)

	queries := map[string]string{}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				queries[d.Title+" / "+p.Title+" / "+q.RefID] = q.Expr
			}
		}
	}
	for _, r := range rules(t) {
		if r.Record != "" {
			queries["rule "+r.Record] = r.Expr
			queries["recorded "+r.Record] = r.Record
			continue
		}
		// An alert on a healthy fleet finds nothing; what it compares must be there.
		queries["alert "+r.Alert] = strings.NewReplacer(" == 0", " >= 0", " > 0.8", " >= 0", " > 0", " >= 0").Replace(r.Expr)
	}

	variables := strings.NewReplacer("$cluster", "test", "$instance", ".*", "$__rate_interval", "10s", "[1m]", "[10s]", "[5m]", "[10s]")
	for name, query := range queries {
		if strings.Contains(query, "nginx_") {
			continue // the balancer of this fleet is HAProxy
		}
		t.Run(name, func(t *testing.T) {
			var last string
			for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(500 * time.Millisecond) {
				value, _, _, err := prometheus.Query(context.Background(), variables.Replace(query), time.Now())
				require.NoError(t, err, query)
				if vector, ok := value.(model.Vector); ok && len(vector) > 0 {
					return
				}
				last = value.String()
			}
			require.Fail(t, "no data", "%s\n%s", query, last)
		})
	}
}

// startFleet runs a node with a client behind HAProxy, node_exporter, and a Prometheus that scrapes them with the labels that the
// role prometheus gives.
func startFleet(t *testing.T) v1.API {
	t.Helper()
	dir := t.TempDir()
	wsnode := filepath.Join(dir, "wsnode")
	build := exec.Command("go", "build", "-o", wsnode, "../server")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	ports := map[string]int{}
	for _, name := range []string{"ws", "admin", "edge", "stats", "node_exporter", "prometheus"} {
		ports[name] = tcptest.FreePort(t)
	}
	at := func(name string) string { return fmt.Sprintf("127.0.0.1:%d", ports[name]) }

	edgetest.Daemon(t, at("admin"), exec.Command(wsnode, "-listen", at("ws"), "-admin", at("admin"), "-drain-time", "0s", "-heartbeat-interval", "1s"))
	edgetest.Daemon(t, at("node_exporter"), exec.Command(
		edgetest.Program(t, "prometheus-node-exporter", "prometheus-node-exporter"), "--web.listen-address="+at("node_exporter")))

	haproxy := filepath.Join(dir, "haproxy.cfg")
	edgetest.Render(t, "haproxy", edgetest.Vars{
		"haproxy_port":                    ports["edge"],
		"haproxy_threads":                 1,
		"haproxy_connections_per_process": 100,
		"haproxy_nodes": []edgetest.Vars{
			{"name": "node-0", "address": "127.0.0.1", "port": ports["ws"], "ready_port": ports["admin"]},
		},
	}, map[string]string{"wsfleet.cfg.j2": haproxy})
	balancer := exec.Command(edgetest.Program(t, "haproxy", "haproxy"), "-db", "-f", haproxy)
	balancer.Env = append(os.Environ(), fmt.Sprint("HAPROXY_STATS_PORT=", ports["stats"]), "HAPROXY_RUN="+dir)
	edgetest.Daemon(t, at("edge"), balancer)

	c, _, err := websocket.DefaultDialer.Dial("ws://"+at("edge"), http.Header{})
	require.NoError(t, err)
	live(t, c, "http://"+at("admin")+"/publish?channel=broadcast")

	config := "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs:\n"
	for _, target := range []struct{ job, port, role string }{
		{"wsnode", "admin", "node"}, {"haproxy", "stats", "edge"}, {"node_exporter", "node_exporter", "node"},
	} {
		config += fmt.Sprintf("- job_name: %s\n  static_configs:\n  - targets: [%q]\n    labels: {cluster: test, host: i-1, instance: \"i-1:%d\", role: %s}\n",
			target.job, at(target.port), ports[target.port], target.role)
	}
	path := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	text, err := os.ReadFile("rules/fleet.rules.yml")
	require.NoError(t, err)
	// The rates of the rules span a minute and more; the test does not wait that long.
	short := strings.NewReplacer("[1m]", "[10s]", "[5m]", "[10s]").Replace(string(text))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(short), 0o600))
	edgetest.Daemon(t, at("prometheus"), exec.Command(edgetest.Program(t, "prometheus", "prometheus"),
		"--config.file="+path, "--web.listen-address="+at("prometheus"), "--storage.tsdb.path="+filepath.Join(dir, "tsdb")))

	// It listens before it has opened its database, and answers 503 until then.
	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + at("prometheus") + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond)

	client, err := api.NewClient(api.Config{Address: "http://" + at("prometheus")})
	require.NoError(t, err)
	prometheus := v1.NewAPI(client)
	requireScraped(t, prometheus, 3)
	return prometheus
}

// requireScraped waits until Prometheus has had an answer from every target. A query that finds nothing is the query's
// fault from then on.
func requireScraped(t *testing.T, prometheus v1.API, want int) {
	t.Helper()
	var state string
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		targets, err := prometheus.Targets(t.Context())
		require.NoError(t, err)
		up := 0
		state = ""
		for _, target := range targets.Active {
			if target.Health == v1.HealthGood {
				up++
			}
			state += fmt.Sprintf("%s %s: %s %s\n", target.ScrapePool, target.ScrapeURL, target.Health, target.LastError)
		}
		if up == want {
			return
		}
	}
	require.Fail(t, "not every target answers", state)
}
