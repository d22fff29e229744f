package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

func (e *Exporter) gauges(version string) {
	gauge := func(name, help string, constant prometheus.Labels) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "wsload_" + name, Help: help, ConstLabels: constant})
		e.Registry.MustRegister(g)
		return g
	}
	gauge("build_info", "1, with the version as a label.", prometheus.Labels{"version": version}).Set(1)
	e.planned = gauge("planned_connections", "Connections that the run is to have.", nil)
	e.open = gauge("connections", "Open WebSocket connections.", nil)
	e.workers = gauge("workers", "Worker processes started.", nil)
	e.workersLost = gauge("workers_lost", "Worker processes that died.", nil)
	e.memory = gauge("workers_resident_memory_bytes", "Resident memory of all workers.", nil)
	e.phase = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "wsload_phase", Help: "1 for the phase that the run is in."}, []string{"phase"})
	e.Registry.MustRegister(e.phase)
}

// counters without labels.
var counters = []struct {
	name, help string
	counter
}{
	{"connections_started_total", "Connections begun.", total(func(c *report.Counts) int64 { return c.Started })},
	{"connections_established_total", "Handshakes completed and verified.", total(func(c *report.Counts) int64 { return c.Connected })},
	{"broadcasts_published_total", "Broadcasts that were taken.", counter{total: func(s State) float64 { return float64(s.Published) }}},
	{"broadcast_deliveries_total", "First deliveries of broadcasts.", total(func(c *report.Counts) int64 { return c.Broadcast.Delivered })},
	{"echo_requests_total", "Echo requests whose time has come.", total(func(c *report.Counts) int64 { return c.Echo.Sent })},
	{"resumptions_total", "Channels that a reconnected client asked for from a position on.", total(func(c *report.Counts) int64 { return c.Resume.Asked })},
	{"reconnections_total", "Connections that are back after they had ended.", total(func(c *report.Counts) int64 { return c.Reconnect.OK })},
	{"connections_cut_total", "Connections that ended and whose clients come back.", total(func(c *report.Counts) int64 { return c.Reconnect.Cut })},
	{"foreign_messages_total", "Messages that are not of this run.", total(func(c *report.Counts) int64 { return c.Foreign })},
	{"pings_answered_total", "Pings of servers, answered.", total(func(c *report.Counts) int64 { return c.Pings })},
	{"workers_cpu_seconds_total", "User and system CPU time of all workers.", counter{total: func(s State) float64 { return s.Total.Usage.CPUSeconds }}},
}

func total(of func(*report.Counts) int64) counter {
	return counter{total: func(s State) float64 { return float64(of(s.Total)) }}
}

// vectors are the counters with labels. Their totals name every series that there
// can be.
var vectors = []struct {
	name, help string
	labels     []string
	totals     func(*report.Counts) map[labels]int64
}{
	{"connection_failures_total", "Connections that could not be opened.", []string{"stage", "class"}, func(c *report.Counts) map[labels]int64 {
		return byStage(c.Failures)
	}},
	{"reconnect_failures_total", "Attempts to come back that failed.", []string{"stage", "class"}, func(c *report.Counts) map[labels]int64 {
		return byStage(c.ReconnectFailures)
	}},
	{"connections_closed_total", "Connections that ended before the closing.", []string{"class"}, func(c *report.Counts) map[labels]int64 {
		return byClass(c.Closed)
	}},
	{"close_failures_total", "Closing handshakes that went wrong.", []string{"class"}, func(c *report.Counts) map[labels]int64 {
		return byClass(c.CloseFailures)
	}},
	{"echoes_total", "Echo requests by their outcome.", []string{"outcome"}, func(c *report.Counts) map[labels]int64 {
		e := c.Echo
		return map[labels]int64{
			{"ok"}: e.OK, {"corrupted"}: e.Corrupted, {"timeout"}: e.Timeout, {"closed"}: e.Closed, {"unexpected"}: e.Unexpected,
		}
	}},
	{"broadcast_faults_total", "Deliveries that went wrong.", []string{"fault"}, func(c *report.Counts) map[labels]int64 {
		b := c.Broadcast
		return map[labels]int64{
			{"duplicated"}: b.Duplicated, {"reordered"}: b.Reordered, {"corrupted"}: b.Corrupted, {"misrouted"}: b.Misrouted, {"late"}: b.Late,
			{"lost"}: b.Lost,
		}
	}},
	{"resume_faults_total", "What servers said of positions that is bad news, or wrong.", []string{"fault"}, func(c *report.Counts) map[labels]int64 {
		r := c.Resume
		return map[labels]int64{
			{"too_old"}: r.TooOld, {"unanswered"}: r.Unanswered, {"lost_told"}: r.LostTold, {"gaps_unknown"}: r.GapsUnknown,
			{"skipped"}: r.Skipped, {"repeated"}: r.Repeated, {"inconsistent"}: r.Inconsistent,
		}
	}},
}

func byStage(failures report.Classes) map[labels]int64 {
	series := map[labels]int64{}
	for stage, classes := range failureClasses {
		for _, class := range classes {
			series[labels{stage, class}] = 0
		}
	}
	for text, n := range failures {
		stage, class := stageOf(text)
		series[labels{stage, class}] += n
	}
	return series
}

func byClass(closed report.Classes) map[labels]int64 {
	series := map[labels]int64{}
	for _, class := range closeClasses {
		series[labels{class}] = 0
	}
	for class, n := range closed {
		series[labels{fold(closeClasses, class)}] += n
	}
	return series
}

// histograms of the distributions.
var histograms = [...]struct {
	desc *prometheus.Desc
	of   func(*report.Counts) report.Latency
}{
	{describe("connect", "Time from the intended start to the TCP connection."), func(c *report.Counts) report.Latency { return c.ConnectLatency }},
	{describe("handshake", "Time from the TCP connection to the verified answer."), func(c *report.Counts) report.Latency { return c.HandshakeLatency }},
	{describe("echo", "Time from the intended sending to the verified reply."), func(c *report.Counts) report.Latency { return c.EchoLatency }},
	{describe("echo_service", "Time from the actual sending to the verified reply."), func(c *report.Counts) report.Latency { return c.EchoService }},
	{describe("broadcast", "Time from the publishing to the delivery."), func(c *report.Counts) report.Latency { return c.BroadcastLatency }},
	{describe("reconnect", "Time from the cut to the verified answer."), func(c *report.Counts) report.Latency { return c.ReconnectLatency }},
}

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("wsload_"+name+"_seconds", help, nil, nil)
}
