package sizing

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// root is the top of the repository.
const root = "../.."

// tolerance is how far a constant may be from its document: as far as two runs of one benchmark are apart. Beyond it
// the constant is stale.
const tolerance = 0.25

// cell reads a number of a Markdown table: that of the row which begins with the cells, in the column of that name.
// Without a column it is the first number of the second cell.
func cell(t *testing.T, file, heading, column string, begins ...string) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	if heading != "" {
		_, rest, found := strings.Cut(string(text), "## "+heading+"\n")
		require.True(t, found, "%s has no heading %q", file, heading)
		text = []byte(rest)
	}
	index := -1
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if i := slices.Index(cells, column); column != "" && i >= 0 {
			index = i
		}
		if column == "" {
			index = 1
		}
		if index < 0 || len(cells) <= max(index, len(begins)-1) || !slices.Equal(cells[:len(begins)], begins) {
			continue
		}
		digits := regexp.MustCompile(`[0-9][0-9,]*(\.[0-9]+)?`).FindString(cells[index])
		v, err := strconv.ParseFloat(strings.ReplaceAll(digits, ",", ""), 64)
		require.NoError(t, err, "%s, row %q: %q", file, begins, cells[index])
		return v
	}
	t.Fatalf("%s has no row %q with a column %q", file, begins, column)
	return 0
}

func figure(t *testing.T, name string) float64 {
	t.Helper()
	for _, f := range figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("no figure %s", name)
	return 0
}

func TestFiguresAreThoseOfTheirDocuments(t *testing.T) {
	at19000 := "19,000 connections, messages of 128 B"
	for name, measured := range map[string]float64{
		"socket_memory":  cell(t, prototype, "", "", "kernel memory of an idle TCP socket"),
		"wsload_connect": cell(t, prototype, "", "", "the same: client"),
		"between_hosts": cell(t, prototype, "", "", "the same between hosts (veth and a bridge)") /
			cell(t, prototype, "", "", "CPU of a direct connection, both ends, over loopback"),
		"wsnode_memory":     cell(t, crowd, "", "", "wsnode: own memory of a connection, beyond its empty processes"),
		"wsload_memory":     cell(t, crowd, "", "", "wsload: own memory of a client, beyond its empty processes"),
		"wsnode_connect":    cell(t, "docs/results/bench.md", at19000, "CPU a connection", "wsnode"),
		"wsnode_echo":       cell(t, "docs/results/bench.md", at19000, "CPU an echo", "wsnode"),
		"wsnode_delivery":   cell(t, "docs/results/bench.md", at19000, "CPU a delivery", "wsnode"),
		"wsnode_heartbeat":  cell(t, "docs/results/bench.md", at19000, "CPU a heartbeat", "wsnode"),
		"wsload_delivery":   cell(t, sustained, "", "client's CPU a delivery", "wsnode, 2 loops"),
		"wsnode_message":    cell(t, "docs/results/broker.md", "", "CPU a delivery", "10,000", "off") - figure(t, "wsnode_delivery"),
		"redis_subscriber":  cell(t, taken, "Redis and Prometheus", "", "Redis: CPU of one more subscriber of a message of 128 B (101 against 1)"),
		"redis_entry":       cell(t, taken, "Redis and Prometheus", "", "Redis: memory of a message of 128 B in history, beyond its bytes"),
		"wsnode_series":     cell(t, taken, "Redis and Prometheus", "", "wsnode: series of a process, with a Redis and two loops"),
		"host_series":       cell(t, taken, "Redis and Prometheus", "", "node_exporter: series of a host of 2 CPUs, with the default collectors"),
		"prometheus_memory": cell(t, taken, "Redis and Prometheus", "", "Prometheus 2.42: memory without series"),
		"series_memory":     cell(t, taken, "Redis and Prometheus", "", "Prometheus: memory of a series, with 100000, scraped 12 times, no queries"),
	} {
		assert.InEpsilon(t, measured, figure(t, name), tolerance, name)
	}
	assert.InEpsilon(t, cell(t, "docs/results/broker.md", "", "Redis' CPU a message", "10,000", "off"), redisMessage(0).Value, tolerance)
	assert.InEpsilon(t, cell(t, "docs/results/broker.md", "", "Redis' CPU a message", "10,000", "1000 messages"), redisMessage(1).Value, tolerance)
}

func TestBalancersAreThoseOfTheirDocument(t *testing.T) {
	for _, b := range balancers {
		row := b.name + ", layer " + strconv.Itoa(b.layer)
		for column, v := range map[string]float64{
			"memory": b.kib, "CPU a connection": b.connect, "CPU a heartbeat": b.heartbeat, "CPU an echo": b.echo, "CPU a delivery": b.delivery,
		} {
			assert.InEpsilon(t, cell(t, taken, "A balancer", column, row), v, tolerance, "%s: %s", row, column)
		}
		if b.name == "haproxy" {
			assert.InEpsilon(t, cell(t, taken, "A balancer", "series", row), b.series, tolerance, row)
		}
	}
}

// What Ansible sets is the same there and here.
func TestSetFiguresAreAnsibles(t *testing.T) {
	values := map[string]any{}
	for _, file := range []string{"ansible/group_vars/all/sizing.yml", "ansible/roles/haproxy/defaults/main.yml", "ansible/roles/redis/defaults/main.yml"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &values))
	}
	in := Default()
	for name, v := range map[string]float64{
		"open_files_reserve": figure(t, "open_files_reserve"), "wsnode_connections_per_port": figure(t, "port_connections"),
		"edge_spread_headroom": figure(t, "edge_spread"), "haproxy_checks_per_second": figure(t, "edge_checks"),
		"redis_max_clients": figure(t, "redis_max_clients"),
		"wsnode_capacity":   in.NodeConnections, "edge_capacity": in.EdgeConnections, "open_files_wanted": in.OpenFiles,
	} {
		assert.EqualValues(t, v, values[name], name)
	}
}

// The processes of a host are those that Ansible computes: the cases of ansible/sizing_test.go.
func TestProcessesAreThoseOfAnsible(t *testing.T) {
	for _, c := range []struct{ files, node, edge, wsnodes, haproxies float64 }{
		{1048576, 100000, 500000, 4, 1},
		{20000, 100000, 500000, 6, 56},
		{20000, 15000, 9000, 1, 1},
		{20000, 19001, 9501, 2, 2},
	} {
		f := sized(t, func(in *Input) { in.OpenFiles, in.NodeConnections, in.EdgeConnections = c.files, c.node, c.edge })
		assert.Equal(t, c.wsnodes, f.Value("node_processes"), "%+v", c)
		assert.Equal(t, c.haproxies, f.Value("edge_processes"), "%+v", c)
	}
}

// Every constant is used, and says where it comes from; documents and files are there.
func TestFiguresAreUsedAndHaveASource(t *testing.T) {
	var formulas strings.Builder
	WriteFormulas(&formulas)
	for _, l := range limits {
		formulas.WriteString(l.need + " " + l.most + "\n")
	}
	used := word.FindAllString(formulas.String(), -1)
	edges, err := balancerFigures("haproxy", 7)
	require.NoError(t, err)
	for _, f := range append(append(edges, redisMessage(0)), figures...) {
		assert.Contains(t, used, f.Name)
		assert.NotEmpty(t, f.From, f.Name)
		assert.NotEmpty(t, f.Means, f.Name)
		if f.Basis == Published || f.Basis == Assumed {
			continue
		}
		file, _, _ := strings.Cut(f.From, ":")
		file, _, _ = strings.Cut(file, ",")
		assert.FileExists(t, filepath.Join(root, file), f.Name)
	}
}

// secondNumber of a row's second cell.
func secondNumber(t *testing.T, file, row string) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	match := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row) + `\s*\|\s*[0-9.]+ s, ([0-9.]+) s`).FindSubmatch(text)
	require.NotNil(t, match, "%s has no row %q of two times", file, row)
	v, err := strconv.ParseFloat(string(match[1]), 64)
	require.NoError(t, err)
	return v
}
