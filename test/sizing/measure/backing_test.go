//go:build linux

package measure

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/redistest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// TestSubscribers measures what Redis takes to hand a message to one more subscriber.
func TestSubscribers(t *testing.T) {
	few, many, messages := 1, size(101, 11), size(5000, 200)
	cost := func(subscribers int) float64 {
		server := redistest.Start(t)
		for range subscribers {
			subscribe(t, server.Addr)
		}
		c := redis.NewClient(&redis.Options{Addr: server.Addr})
		defer c.Close()
		text := strings.Repeat("x", 128)
		before := usedCPU(t, c)
		for range messages {
			n, err := c.Publish(t.Context(), "broadcast", text).Result()
			require.NoError(t, err)
			require.EqualValues(t, subscribers, n)
		}
		return (usedCPU(t, c) - before) / float64(messages) * 1e6
	}
	alone, crowd := cost(few), cost(many)
	each := (crowd - alone) / float64(many-few)
	require.Positive(t, alone) // the difference is recorded: a short run may get it wrong
	found.add(t, fmt.Sprintf("Redis: CPU of one more subscriber of a message of 128 B (%d against %d)", many, few), "%.1f us", each)
}

// subscribe joins the channel and reads what comes until the test ends.
func subscribe(t *testing.T, addr string) {
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	ended := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-ended })
	_, err = c.Write([]byte("SUBSCRIBE broadcast\r\n"))
	require.NoError(t, err)
	buffer := make([]byte, 4096)
	_, err = c.Read(buffer) // it has joined
	require.NoError(t, err)
	go func() {
		defer close(ended)
		for err == nil {
			_, err = c.Read(buffer)
		}
	}()
}

func usedCPU(t *testing.T, c *redis.Client) float64 {
	return info(t, c, "cpu", "used_cpu_sys") + info(t, c, "cpu", "used_cpu_user")
}

func info(t *testing.T, c *redis.Client, section, key string) float64 {
	text, err := c.Info(t.Context(), section).Result()
	require.NoError(t, err)
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, key+":"); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			require.NoError(t, err)
			return f
		}
	}
	t.Fatalf("Redis' INFO %s has no %s", section, key)
	return 0
}

// TestHistory measures what a message takes in Redis' memory, beyond its bytes.
func TestHistory(t *testing.T) {
	const bytes = 128
	channels, messages := size(50, 5), 1000
	server := redistest.Start(t)
	c := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer c.Close()
	node := nodetest.Start(t, "-broker", server.URL, "-history-length", strconv.Itoa(messages), "-history-age", "1h")
	_ = node // it loads the functions
	before := info(t, c, "memory", "used_memory")
	for i := range channels {
		name := fmt.Sprint("c", i)
		pipe := c.Pipeline()
		for range messages {
			pipe.FCall(t.Context(), "wsfleet_publish", []string{"wsfleet:{" + name + "}"}, name, strings.Repeat("x", bytes), messages, 3600_000)
		}
		_, err := pipe.Exec(t.Context())
		require.NoError(t, err)
	}
	each := (info(t, c, "memory", "used_memory") - before) / float64(channels*messages)
	require.Greater(t, each, float64(bytes))
	found.add(t, "Redis: memory of a message of 128 B in history, beyond its bytes", "%.0f B", each-bytes)
}

func TestSeries(t *testing.T) {
	server := redistest.Start(t)
	node := nodetest.Start(t, "-broker", server.URL, "-history-length", "1000")
	found.add(t, "wsnode: series of a process, with a Redis and two loops", "%.0f", series(t, node.Admin+"/metrics"))
	addr := tcptest.FreeAddr(t)
	start(t, addr, "prometheus-node-exporter", "--web.listen-address="+addr)
	found.add(t, "node_exporter: series of a host of 2 CPUs, with the default collectors", "%.0f", series(t, "http://"+addr+"/metrics"))
}

// TestPrometheus measures what a series takes in Prometheus' memory while it is scraped.
func TestPrometheus(t *testing.T) {
	count := size(100_000, 2_000)
	var scrapes atomic.Int64
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		for i := range count {
			fmt.Fprintf(w, "wsnode_measured_total{reason=\"reason_%d\",host=\"i-0123456789abcdef0\",zone=\"us-east-1a\",name=\"fleet-node\"} %d\n", i, n*int64(i))
		}
	}))
	defer exporter.Close()
	run := func(target string) (*process, string) {
		addr := tcptest.FreeAddr(t)
		file := write(t, "prometheus.yml", fmt.Sprintf("global: {scrape_interval: 15s, scrape_timeout: 14s}\nscrape_configs:\n  - {job_name: wsnode, static_configs: [{targets: [%q]}]}\n", target))
		return start(t, addr, "prometheus", "--config.file="+file, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+addr, "--log.level=warn"), addr
	}
	empty, _ := run(tcptest.FreeAddr(t))
	full, addr := run(strings.TrimPrefix(exporter.URL, "http://"))
	require.Eventually(t, func() bool {
		return metric(t, "http://"+addr+"/metrics", "prometheus_tsdb_head_samples_appended_total") >= float64(count*size(12, 1))
	}, 10*time.Minute, time.Second)
	base := empty.resident()
	found.add(t, "Prometheus 2.42: memory without series", "%.0f MiB", base/(1<<20))
	each := (full.resident() - base) / float64(count)
	found.add(t, fmt.Sprintf("Prometheus: memory of a series, with %d, scraped 12 times, no queries", count), "%.1f KiB", each/1024)
}

// metric is the sum of a metric over its labels.
func metric(t *testing.T, url, name string) float64 {
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	var sum float64
	for line := range lines(t, resp.Body) {
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == ' ' || rest[0] == '{') {
			v, err := strconv.ParseFloat(rest[strings.LastIndex(rest, " ")+1:], 64)
			require.NoError(t, err)
			sum += v
		}
	}
	return sum
}
