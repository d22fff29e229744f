package shots_test

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// The half hour of which the Prometheus of these tests has samples, one every 15 seconds.
var (
	start = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	end   = start.Add(30 * time.Minute)
)

// openMetrics writes samples as promtool reads them.
type openMetrics struct{ *bufio.Writer }

// series writes one series; a value that is not ok is left out.
func (w openMetrics) series(name string, value func(at time.Duration) (v float64, ok bool)) {
	for at := time.Duration(0); at <= 30*time.Minute; at += 15 * time.Second {
		if v, ok := value(at); ok {
			fmt.Fprintf(w, "%s %g %d\n", name, v, start.Add(at).Unix())
		}
	}
}

func (w openMetrics) gauge(name string, value func(minutes float64) float64) {
	w.series(name, func(at time.Duration) (float64, bool) { return value(at.Minutes()), true })
}

// counter writes the sum of a rate per second.
func (w openMetrics) counter(name string, rate func(minutes float64) float64) {
	sum := 0.0
	w.gauge(name, func(minutes float64) float64 {
		sum += 15 * max(rate(minutes), 0)
		return math.Round(sum)
	})
}

// histogram writes buckets of what is normally distributed, on a logarithmic scale, around a median.
func (w openMetrics) histogram(name, labels string, rate, median func(minutes float64) float64) {
	for _, le := range []string{"0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "+Inf"} {
		bound := math.Inf(1)
		if le != "+Inf" {
			_, err := fmt.Sscan(le, &bound)
			if err != nil {
				panic(err)
			}
		}
		w.counter(fmt.Sprintf(`%s_bucket{%s,le="%s"}`, name, labels, le), func(m float64) float64 {
			return rate(m) * 0.5 * (1 + math.Erf(math.Log(bound/median(m))/0.9))
		})
	}
}

// prometheus is a real one that knows a fleet of a million connections, and a few series that are hard to draw.
func prometheus(t *testing.T) v1.API {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "samples"))
	require.NoError(t, err)
	w := openMetrics{bufio.NewWriter(file)}
	writeFleet(w)
	writeOddities(w)
	fmt.Fprintln(w, "# EOF")
	require.NoError(t, w.Flush())
	require.NoError(t, file.Close())
	edgetest.Command(t, "promtool", "prometheus", "tsdb", "create-blocks-from", "openmetrics", file.Name(), filepath.Join(dir, "tsdb"))

	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, nil, 0o600))
	addr := tcptest.FreeAddr(t)
	edgetest.Daemon(t, addr, exec.Command(edgetest.Program(t, "prometheus", "prometheus"), "--config.file="+config,
		"--web.listen-address="+addr, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--storage.tsdb.retention.time=100y"))
	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + addr + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	client, err := api.NewClient(api.Config{Address: "http://" + addr})
	require.NoError(t, err)
	return v1.NewAPI(client)
}

// writeOddities writes series that are hard to draw.
func writeOddities(w openMetrics) {
	only := func(from, to time.Duration, v float64) func(time.Duration) (float64, bool) {
		return func(at time.Duration) (float64, bool) { return v, at >= from && at <= to }
	}
	w.series("odd_one", only(10*time.Minute, 10*time.Minute, 7))
	w.series("odd_gap", func(at time.Duration) (float64, bool) {
		return at.Minutes(), at < 10*time.Minute || at > 20*time.Minute
	})
	w.series("odd_nan", func(at time.Duration) (float64, bool) {
		if at.Minutes() > 10 && at.Minutes() < 20 {
			return math.NaN(), true
		}
		return at.Minutes(), true
	})
	w.series("odd_never", func(time.Duration) (float64, bool) { return math.NaN(), true })
	w.series("odd_infinite", func(time.Duration) (float64, bool) { return math.Inf(1), true })
	for i := range 60 {
		w.gauge(fmt.Sprintf(`odd_many{host="a-host-with-a-rather-long-name-%02d.example.internal"}`, i), func(m float64) float64 {
			return float64(i) * (10 + math.Sin(m/3+float64(i)))
		})
	}
}

// writeFleet writes what a fleet of four nodes exports while a million clients connect, stay, and lose a process.
func writeFleet(w openMetrics) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(v, share float64) float64 { return v * (1 + share*(random.Float64()-0.5)) }
	flat := func(v float64) func(float64) float64 { return func(float64) float64 { return v } }
	ramp := func(m float64) float64 { return min(max((m-2)/4, 0), 1) }
	fault := func(m float64) float64 { return math.Exp(-(m - 18) * (m - 18) / 0.64) }
	for n := range 4 {
		instance := fmt.Sprintf(`cluster="lab",host="i-0b%02d",instance="i-0b%02d:8766",job="wsnode"`, n, n)
		share := 250_000 + float64(n)*900
		w.gauge("up{"+instance+"}", flat(1))
		w.gauge("wsnode_connections{"+instance+"}", func(m float64) float64 {
			v := share * ramp(m)
			if n == 2 {
				v *= 1 - 0.3*fault(m)
			}
			return math.Round(v)
		})
		w.gauge("wsnode_capacity_connections{"+instance+"}", flat(320_000))
		w.gauge("wsnode_broker_up{"+instance+"}", flat(1))
		w.counter("wsnode_opened_total{"+instance+"}", func(m float64) float64 {
			return share/240*boolean(m > 2 && m < 6) + 900*fault(m)
		})
		for _, reason := range []string{"going_away", "heartbeat", "slow_consumer", "protocol_error", "drain"} {
			w.counter(`wsnode_closed_total{`+instance+`,reason="`+reason+`"}`, func(m float64) float64 {
				return map[string]float64{"going_away": 900, "heartbeat": 40}[reason] * fault(m)
			})
		}
		for _, reason := range []string{"origin", "token", "capacity", "memory", "timeout"} {
			w.counter(`wsnode_handshakes_rejected_total{`+instance+`,reason="`+reason+`"}`, func(m float64) float64 {
				return map[string]float64{"capacity": 12}[reason] * fault(m)
			})
		}
		w.counter("wsnode_messages_received_total{"+instance+"}", func(m float64) float64 { return noise(4_000*ramp(m), 0.2) })
		w.counter("wsnode_messages_sent_total{"+instance+"}", func(m float64) float64 { return noise(4_000*ramp(m)+6_000*boolean(int(m)%5 == 0), 0.2) })
		w.histogram("wsnode_heartbeat_rtt_seconds", instance, func(m float64) float64 { return 25_000 * ramp(m) },
			func(m float64) float64 { return 0.002 + 0.004*ramp(m) + 0.08*fault(m) })
		w.histogram("wsnode_fanout_seconds", instance, func(m float64) float64 { return 30_000 * ramp(m) },
			func(m float64) float64 { return 0.008 + 0.02*ramp(m) + 0.3*fault(m) })
		w.gauge("wsnode_send_queue_bytes{"+instance+"}", func(m float64) float64 { return math.Round(noise(3e6*fault(m), 0.3)) })
		w.counter("process_cpu_seconds_total{"+instance+"}", func(m float64) float64 { return 0.05 + 0.3*ramp(m) })
		w.gauge(`wsnode_memory_bytes{`+instance+`,kind="rss"}`, func(m float64) float64 { return 3e7 + 280e6*ramp(m) })
		w.gauge(`wsnode_loop_lag_seconds{`+instance+`,loop="0"}`, func(m float64) float64 { return noise(0.0004+0.003*ramp(m)+0.05*fault(m), 0.5) })
	}
	for n, role := range []string{"edge", "edge", "node", "node", "node", "node", "redis", "monitoring"} {
		host := fmt.Sprintf(`cluster="lab",host="i-0%d%02d",role="%s",instance="i-0%d%02d:9100"`, n, n, role, n, n)
		for _, mode := range []string{"idle", "user", "system", "softirq"} {
			w.counter(`node_cpu_seconds_total{`+host+`,cpu="0",mode="`+mode+`"}`, func(m float64) float64 {
				return map[string]float64{"idle": 1 - 0.8*ramp(m)*float64(8-n)/8, "user": 0.4, "system": 0.3, "softirq": 0.1}[mode]
			})
		}
		w.gauge("node_memory_MemTotal_bytes{"+host+"}", flat(24<<30))
		w.gauge("node_memory_MemFree_bytes{"+host+"}", func(m float64) float64 { return 22<<30 - float64(8-n)*2e9*ramp(m) })
		w.gauge("node_memory_Cached_bytes{"+host+"}", flat(1<<30))
		w.gauge("node_memory_Buffers_bytes{"+host+"}", flat(1<<26))
		w.gauge("node_sockstat_TCP_inuse{"+host+"}", func(m float64) float64 {
			return map[string]float64{"edge": 1_000_000, "node": 250_000, "redis": 80, "monitoring": 60}[role] * ramp(m)
		})
		if role == "edge" {
			w.gauge(`haproxy_frontend_current_sessions{`+host+`,proxy="edge"}`, func(m float64) float64 { return math.Round(500_000 * ramp(m)) })
		}
	}
	w.series(`ALERTS{alertname="ReconnectStorm",alertstate="firing",cluster="lab",instance="i-0b02:8766"}`, func(at time.Duration) (float64, bool) {
		return 1, at > 18*time.Minute && at < 21*time.Minute
	})
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
