package nodes

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const metrics = `# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %g
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes %d
# TYPE wsnode_connections gauge
wsnode_connections %d
# TYPE other gauge
other{a="b"} 7
`

func watch(t *testing.T, urls ...string) *Watch {
	t.Helper()
	w, err := New(urls)
	require.NoError(t, err)
	w.every = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	w.Start(ctx)
	t.Cleanup(func() { cancel(); w.Wait() })
	return w
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL + "/metrics"
}

func TestAFailedScrapeIsAGapAndTheNodeComesBack(t *testing.T) {
	var broken atomic.Bool
	var scrapes atomic.Int64
	w := watch(t, serve(t, func(rw http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			http.Error(rw, "not now", http.StatusInternalServerError)
			return
		}
		n := scrapes.Add(1)
		fmt.Fprintf(rw, metrics, float64(n), 1000+n, n)
	}))
	latest := func() *report.NodeUse { return w.Latest()[0] }
	known := func() bool { return latest() != nil && latest().CPU != nil }
	require.Eventually(t, known, 10*time.Second, time.Millisecond)
	broken.Store(true)
	require.Eventually(t, func() bool { return latest() == nil }, 10*time.Second, time.Millisecond)
	require.Contains(t, w.Report()[0].Error, "status 500")
	broken.Store(false)
	require.Eventually(t, known, 10*time.Second, time.Millisecond)
	n := w.Report()[0]
	require.EqualValues(t, 1001, n.MemoryStart)
	require.Greater(t, n.MemoryMax, n.MemoryStart)
	require.Equal(t, n.MemoryMax-1000, n.Connections)
	require.Equal(t, n.Connections-1, n.CPUSeconds)
	require.Positive(t, n.ScrapesFailed)
	require.Greater(t, n.Scrapes, n.ScrapesFailed)
}

func TestANodeThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes the request, and no more
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	good := serve(t, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintf(rw, metrics, 1.0, 1, 1) })
	w := watch(t, "http://"+silent.Addr().String()+"/metrics", good)
	require.Eventually(t, func() bool {
		nodes := w.Report()
		return nodes[0].ScrapesFailed > 0 && nodes[1].Scrapes > 1 && w.Latest()[1] != nil
	}, 30*time.Second, 5*time.Millisecond)
	require.Nil(t, w.Latest()[0])
	require.Contains(t, w.Report()[0].Error, "Timeout")
	require.Zero(t, w.Report()[1].ScrapesFailed)
}

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader("process_resident_memory_bytes 5\nwsnode_connections{loop=\"0\"} 2\nwsnode_connections{loop=\"1\"} 3\n"))
	require.NoError(t, err)
	require.Nil(t, got.cpu)
	require.EqualValues(t, 5, *got.memory)
	require.EqualValues(t, 5, *got.connections)
	for text, want := range map[string]string{
		"":                         "none of process_resident",
		"other 1\n":                "none of process_resident",
		"<html>no metrics</html>":  "parse metrics",
		strings.Repeat("x", 5<<20): "parse metrics",
	} {
		_, err := parse(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

func TestARestartedNodesCounterBeginsAnew(t *testing.T) {
	var n node
	at := time.Now()
	for i, cpu := range []float64{10, 12, 1, 2} {
		n.take(values{cpu: &cpu}, at.Add(time.Duration(i)*time.Second))
	}
	require.EqualValues(t, 2+1+1, n.sum.CPUSeconds)
}

func TestURLs(t *testing.T) {
	for _, bad := range []string{"", "node:8766", "ftp://node/metrics", "http://"} {
		_, err := New([]string{bad})
		require.ErrorContains(t, err, "want http://host:port/metrics", bad)
	}
}
