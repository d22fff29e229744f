//go:build linux

package siege

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// node is a wsnode process.
type node struct {
	t      *testing.T
	cmd    *exec.Cmd
	listen string // host:port
	admin  string // http://host:port
	exited chan error
}

// startNode runs wsnode until the test ends. Wrap, if given, is a command that runs
// it, such as one that sets limits; it must exec rather than fork.
func startNode(t *testing.T, wrap []string, args ...string) *node {
	t.Helper()
	n := &node{t: t, listen: freeAddress(t), exited: make(chan error, 1)}
	admin := freeAddress(t)
	n.admin = "http://" + admin
	argv := append(append([]string{}, wrap...), filepath.Join(bin, "wsnode"), "-listen", n.listen, "-admin", admin, "-log-level", "warn")
	argv = append(argv, args...)
	n.cmd = exec.Command(argv[0], argv[1:]...)
	n.cmd.Stderr = os.Stderr
	require.NoError(t, n.cmd.Start())
	go func() { n.exited <- n.cmd.Wait() }()
	t.Cleanup(func() { _ = n.cmd.Process.Kill() })
	require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusOK }, 10*time.Second, 20*time.Millisecond, "wsnode is not ready")
	return n
}

func (n *node) url() string { return "ws://" + n.listen + "/" }

// status is the HTTP status of a page of the admin address, 0 if there is no answer.
func (n *node) status(path string) int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(n.admin + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// metric returns the value of a series such as wsnode_closed_total{reason="x"}.
func (n *node) metric(series string) float64 {
	n.t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(n.admin + "/metrics")
	require.NoError(n.t, err)
	defer resp.Body.Close()
	return seriesValue(n.t, resp.Body, series)
}

func seriesValue(t *testing.T, r io.Reader, series string) float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	require.NoError(t, err)
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	family := families[name]
	require.NotNil(t, family, "no metric %s", name)
	for _, m := range family.Metric {
		var have []string
		for _, l := range m.Label {
			have = append(have, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		if strings.Join(have, ",") == labels {
			switch {
			case m.Gauge != nil:
				return m.Gauge.GetValue()
			case m.Counter != nil:
				return m.Counter.GetValue()
			}
		}
	}
	require.Fail(t, "no series "+series)
	return 0
}

// resident is the process' resident memory in bytes.
func (n *node) resident() float64 {
	n.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.cmd.Process.Pid))
	require.NoError(n.t, err)
	pages, err := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	require.NoError(n.t, err)
	return pages * float64(os.Getpagesize())
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}
