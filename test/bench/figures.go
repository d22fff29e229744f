package main

import (
	"maps"
	"slices"
)

// metric is one thing that is measured.
type metric int

// Memory is in bytes, times are in seconds.
const (
	idleMemory       metric = iota // resident memory of a connection that has echoed, beyond the empty server
	connectCPU                     // user and system time of the server, here and in the next four
	echoCPU                        //
	deliveryCPU                    //
	heartbeatCPU                   // of a ping, its pong, and the time the server was idle beside it
	burstCPU                       // of an echo when all connections send at once
	echoP50                        //
	echoP99                        //
	burstRate                      // echoes a second when all connections send at once
	clientCPU                      // of wsload for each delivery
	clientWakes                    // how often wsload was put on a CPU for each delivery
	publishRate                    // messages a second through the broker, as many as come through
	deliveryRateFull               // deliveries a second of those
	perCore                        // deliveries for each second of CPU of the node
	nodeCores                      // CPUs that the node takes, Redis, and the client
	redisCores                     //
	clientCores                    //
	publishCPU                     // of Redis for each message
	talkP50                        // from publishing to the last delivery
	talkP99                        //
	talkMax                        //
	growth                         // how much later deliveries came at the end than at the beginning
	disturbance                    // part of all CPUs that other processes took meanwhile
)

// column says how a metric is shown.
type column struct {
	metric metric
	title  string
	format string  // of the value in the column's unit
	unit   float64 // what one of the metric is in it
}

var columns = []column{
	{publishRate, "messages/s", "%.0f", 1},
	{deliveryRateFull, "deliveries/s", "%.0f", 1},
	{perCore, "deliveries/s a core of the node", "%.0f", 1},
	{talkP50, "p50", "%.2f ms", 1e3},
	{talkP99, "p99", "%.2f ms", 1e3},
	{talkMax, "max", "%.0f ms", 1e3},
	{growth, "growth of p50", "%.0f ms", 1e3},
	{nodeCores, "node's CPUs", "%.2f", 1},
	{redisCores, "Redis' CPUs", "%.2f", 1},
	{publishCPU, "Redis' CPU a message", "%.1f us", 1e6},
	{clientCores, "client's CPUs", "%.2f", 1},
	{idleMemory, "KiB a connection", "%.2f", 1. / 1024},
	{connectCPU, "CPU a connection", "%.1f us", 1e6},
	{echoCPU, "CPU an echo", "%.1f us", 1e6},
	{deliveryCPU, "CPU a delivery", "%.1f us", 1e6},
	{heartbeatCPU, "CPU a heartbeat", "%.1f us", 1e6},
	{echoP50, "echo p50", "%.2f ms", 1e3},
	{echoP99, "echo p99", "%.2f ms", 1e3},
	{clientCPU, "client's CPU a delivery", "%.1f us", 1e6},
	{clientWakes, "client's wake-ups a delivery", "%.3f", 1},
	{burstCPU, "CPU an echo, all at once", "%.1f us", 1e6},
	{burstRate, "echoes/s, all at once", "%.0f", 1},
}

// figures are what one run gave. A metric that is not there was not measured.
type figures map[metric]float64

// medians of the runs, for each metric over those that measured it.
func medians(runs []figures) figures {
	f := figures{}
	for m, values := range byMetric(runs) {
		f[m] = median(values)
	}
	return f
}

// spreads of the runs: for each metric that two or more measured, how far the largest
// is above the smallest, relative to the median.
func spreads(runs []figures) figures {
	f := figures{}
	for m, values := range byMetric(runs) {
		if mid := median(values); len(values) > 1 && mid > 0 {
			f[m] = (slices.Max(values) - slices.Min(values)) / mid
		}
	}
	return f
}

func byMetric(runs []figures) map[metric][]float64 {
	all := map[metric][]float64{}
	for _, run := range runs {
		for m, v := range run {
			all[m] = append(all[m], v)
		}
	}
	return all
}

// median of at least one value; of an even number, the middle of the two.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// best returns which name has the smallest m, false if none was measured.
func best(by map[string]figures, m metric) (name string, ok bool) {
	for _, n := range slices.Sorted(maps.Keys(by)) {
		v, measured := by[n][m]
		if measured && (!ok || v < by[name][m]) {
			name, ok = n, true
		}
	}
	return name, ok
}
