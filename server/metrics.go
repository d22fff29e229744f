//go:build linux

package main

import (
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wsfleet/wsfleet/server/memlimit"
	"github.com/wsfleet/wsfleet/server/session"
)

// nodeMetrics is the registry of a node. Counters are kept by the loops and read
// when Prometheus asks, so that counting costs a loop one addition.
type nodeMetrics struct {
	registry *prometheus.Registry
	rtt      prometheus.Histogram
	fanout   prometheus.Histogram
}

func newMetrics() *nodeMetrics {
	m := &nodeMetrics{
		registry: prometheus.NewRegistry(),
		rtt: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "wsnode_heartbeat_rtt_seconds",
			Help:    "Time from a ping to its pong.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15), // 0.5 ms to 8 s
		}),
		fanout: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "wsnode_fanout_seconds",
			Help:    "Time from the arrival of a published message to its last delivery, by event loop.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18), // 0.1 ms to 13 s
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "wsnode_build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(m.rtt, m.fanout, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch adds what the node's loops count. The node must be complete.
func (m *nodeMetrics) watch(n *node) { m.registry.MustRegister(loopCollector{n}, fanoutCollector{n}) }

func (m *nodeMetrics) observeRTT(d time.Duration)    { m.rtt.Observe(d.Seconds()) }
func (m *nodeMetrics) observeFanout(d time.Duration) { m.fanout.Observe(d.Seconds()) }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("wsnode_"+name, help, labels, nil)
}

var (
	descConnections   = desc("connections", "Open WebSocket connections.")
	descSockets       = desc("sockets", "Open sockets of clients, those in handshake or being refused included.")
	descOpened        = desc("opened_total", "Connections whose handshake succeeded.")
	descClosed        = desc("closed_total", "Connections that ended, by reason.", "reason")
	descRejected      = desc("handshakes_rejected_total", "Handshakes refused, by reason.", "reason")
	descPages         = desc("pages_served_total", "Requests without an upgrade that got the page or the number of connections.")
	descReceived      = desc("messages_received_total", "Messages from clients.")
	descSent          = desc("messages_sent_total", "Messages to clients.")
	descPings         = desc("pings_sent_total", "Heartbeats sent to clients.")
	descBytesReceived = desc("bytes_received_total", "Bytes from clients, frames and handshakes included.")
	descBytesSent     = desc("bytes_sent_total", "Bytes to clients, frames and handshakes included.")
	descAcceptErrors  = desc("accept_errors_total", "Accepts that failed for want of a resource.")
	descQueue         = desc("send_queue_bytes", "Bytes that wait for clients to take them.")
	descReceiving     = desc("receive_bytes", "Bytes promised to messages that have not arrived whole.")
	descReceiveWait   = desc("receive_waiting_connections", "Connections that are not read until there is room for their message.")
	descLag           = desc("loop_lag_seconds", "Longest time events waited for their loop since the last scrape.", "loop")
	descCapacity      = desc("capacity_connections", "Connections that this node may hold.")
	descMemory        = desc("memory_bytes", "Memory of the process: rss, the Go heap in use (heap), what the runtime holds (runtime) and may hold (target); and of the tightest control group or the machine: limit and free.", "kind")
	descMemoryShort   = desc("memory_short", "1 while handshakes are refused for want of memory.")
	descDraining      = desc("draining", "1 while the node drains.")
	descLogDropped    = desc("log_lines_dropped_total", "Log lines dropped because the sink was slow.")
	descAddresses     = desc("client_addresses", "Addresses of clients that are tracked for the limits per address.")
	descKeys          = desc("token_keys", "Keys that tokens are checked with.")
	descReloadErrors  = desc("token_key_reload_errors_total", "Key files that could not be read again.")
)

// loopCollector reads what loops and sessions count.
type loopCollector struct{ n *node }

// Describe implements prometheus.Collector.
func (c loopCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c loopCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	var t totals
	for i, s := range c.n.shards {
		t.add(s)
		gauge(descLag, s.loop.Stats().Lag().Seconds(), strconv.Itoa(i))
	}
	var closed uint64
	for _, r := range session.Reasons() {
		closed += t.closed[r]
		counter(descClosed, t.closed[r], r.String())
	}
	for _, r := range session.Rejections() {
		counter(descRejected, t.rejected[r], r.String())
	}
	gauge(descConnections, float64(t.opened-closed))
	gauge(descSockets, float64(t.sockets))
	counter(descOpened, t.opened)
	counter(descPages, t.pages)
	counter(descReceived, t.received)
	counter(descSent, t.sent)
	counter(descPings, t.pings)
	counter(descBytesReceived, t.bytesIn)
	counter(descBytesSent, t.bytesOut)
	counter(descAcceptErrors, t.acceptErrors)
	gauge(descQueue, float64(t.queued))
	gauge(descReceiving, float64(t.receiving))
	gauge(descReceiveWait, float64(t.waiting))
	gauge(descCapacity, float64(c.n.capacity))
	for kind, v := range memory() {
		gauge(descMemory, v, kind)
	}
	gauge(descMemory, float64(c.n.memory.Room().Limit), "limit")
	gauge(descMemory, float64(c.n.memory.Room().Free), "free")
	gauge(descMemoryShort, oneIf(c.n.memory.Short()))
	gauge(descDraining, oneIf(c.n.server.Draining()))
	counter(descLogDropped, logDropped.Load())
	gauge(descAddresses, float64(c.n.gate.Addresses()))
	gauge(descKeys, float64(c.n.gate.keys()))
	counter(descReloadErrors, c.n.gate.reloadErrors.Load())
}

// totals are the counters of all shards, added up.
type totals struct {
	opened, received, sent, pings, pages uint64
	bytesIn, bytesOut, acceptErrors      uint64
	sockets, queued, receiving, waiting  int64
	closed                               map[session.Reason]uint64
	rejected                             map[session.Rejection]uint64
}

func (t *totals) add(s *shard) {
	if t.closed == nil {
		t.closed, t.rejected = map[session.Reason]uint64{}, map[session.Rejection]uint64{}
	}
	st, l := s.sessions.Stats(), s.loop.Stats()
	// Closed before opened: the difference must never be negative.
	for _, r := range session.Reasons() {
		t.closed[r] += st.Closed[r].Load()
	}
	for _, r := range session.Rejections() {
		t.rejected[r] += st.Rejected[r].Load()
	}
	t.opened += st.Opened.Load()
	t.pages += st.Plain.Load()
	t.received += st.MessagesReceived.Load()
	t.sent += st.MessagesSent.Load()
	t.pings += st.Pings.Load()
	t.receiving += st.Receiving.Load()
	t.waiting += st.Waiting.Load()
	t.bytesIn += l.BytesRead.Load()
	t.bytesOut += l.BytesWritten.Load()
	t.acceptErrors += l.AcceptErrors.Load()
	t.sockets += l.Conns.Load()
	t.queued += l.QueuedBytes.Load()
}

// memory returns the kinds of wsnode_memory_bytes.
func memory() map[string]float64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return map[string]float64{
		"rss":     float64(memlimit.Resident()),
		"heap":    float64(samples[0].Value.Uint64()),
		"runtime": float64(samples[1].Value.Uint64() - samples[2].Value.Uint64()),
		"target":  float64(debug.SetMemoryLimit(-1)),
	}
}

func oneIf(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
