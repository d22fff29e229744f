package sizing

import (
	"fmt"
	"math"
	"time"
)

// Input is what the fleet is to carry, and on what.
type Input struct {
	Connections float64 `json:"connections"`

	Messages   float64       `json:"messages"`     // from each client a second, each one echoed
	Broadcasts float64       `json:"broadcasts"`   // published a second, all channels together
	Audience   float64       `json:"audience"`     // connections that each broadcast reaches; 0 for all
	Bytes      float64       `json:"bytes"`        // of a message
	Heartbeat  time.Duration `json:"heartbeat_ns"` // wsnode's -heartbeat-interval
	Return     time.Duration `json:"return_ns"`    // in which all clients come back once all were lost

	Channels   float64       `json:"channels"` // that broadcasts are spread over evenly
	History    float64       `json:"history"`  // messages kept of each channel; 0 for none
	HistoryAge time.Duration `json:"history_age_ns"`

	Balancer string `json:"balancer"` // haproxy or nginx
	Layer    int    `json:"layer"`    // 7 (http) or 4 (tcp, stream)

	OpenFiles            float64 `json:"open_files"`            // that one process may have
	NodeConnections      float64 `json:"node_connections"`      // the most that one host is given
	EdgeConnections      float64 `json:"edge_connections"`      // the same of an edge
	GeneratorConnections float64 `json:"generator_connections"` // the same of a load generator

	NodeType       string `json:"node_type"`
	EdgeType       string `json:"edge_type"`
	RedisType      string `json:"redis_type"`
	MonitoringType string `json:"monitoring_type"`
	GeneratorType  string `json:"generator_type"`

	CPUUse     float64 `json:"cpu_use"`     // share of its cores that a host may be planned to use
	MemoryUse  float64 `json:"memory_use"`  // of its memory
	NetworkUse float64 `json:"network_use"` // of its network
	Zones      float64 `json:"zones"`

	Scrape    time.Duration `json:"scrape_ns"`    // Prometheus' interval
	Retention time.Duration `json:"retention_ns"` // how long it keeps samples
	Churn     float64       `json:"churn"`        // series that Prometheus has in memory, for each that is there now
}

// Default is a quiet application on the fleet as Terraform and Ansible make it.
func Default() Input {
	return Input{
		Connections: 1_000_000,
		Messages:    0.02, Broadcasts: 0.1, Bytes: 128, Heartbeat: 10 * time.Second, Return: 5 * time.Minute,
		Channels: 1, History: 1000, HistoryAge: 10 * time.Minute,
		Balancer: "haproxy", Layer: 7,
		OpenFiles: 1 << 20, NodeConnections: 100_000, EdgeConnections: 500_000, GeneratorConnections: 500_000,
		NodeType: "c7g.large", EdgeType: "c7g.2xlarge", RedisType: "r7g.large", MonitoringType: "m7g.large", GeneratorType: "c7g.2xlarge",
		CPUUse: 0.5, MemoryUse: 0.8, NetworkUse: 0.5, Zones: 2,
		Scrape: 15 * time.Second, Retention: 15 * 24 * time.Hour, Churn: 2,
	}
}

// measuredBytes is the largest message that the figures were measured with.
const measuredBytes = 4096

// Validate returns an error that names the flag and its value.
func (in Input) Validate() error {
	for _, c := range []struct {
		flag            string
		value, min, max float64
	}{
		{"connections", in.Connections, 1, 1e9},
		{"messages", in.Messages, 0, 1e6},
		{"broadcasts", in.Broadcasts, 0, 1e9},
		{"audience", in.Audience, 0, in.Connections},
		{"bytes", in.Bytes, 1, measuredBytes},
		{"channels", in.Channels, 1, 1e9},
		{"history", in.History, 0, 1e9},
		{"open-files", in.OpenFiles, 2048, math.MaxInt32},
		{"node-connections", in.NodeConnections, 1, 1e8},
		{"edge-connections", in.EdgeConnections, 1, 1e8},
		{"generator-connections", in.GeneratorConnections, 1, 1e8},
		{"cpu-use", in.CPUUse, 0.01, 1},
		{"memory-use", in.MemoryUse, 0.01, 1},
		{"network-use", in.NetworkUse, 0.01, 1},
		{"zones", in.Zones, 1, 6},
		{"churn", in.Churn, 1, 1000},
	} {
		if !(c.value >= c.min && c.value <= c.max) { // NaN is neither
			return fmt.Errorf("-%s must be from %s to %s, got %v", c.flag, number(c.min), number(c.max), c.value)
		}
	}
	for _, c := range []struct {
		flag     string
		value    time.Duration
		min, max time.Duration
	}{
		{"heartbeat", in.Heartbeat, time.Second, 24 * time.Hour},
		{"return", in.Return, time.Second, 24 * time.Hour},
		{"history-age", in.HistoryAge, time.Second, 365 * 24 * time.Hour},
		{"scrape", in.Scrape, time.Second, time.Hour},
		{"retention", in.Retention, time.Hour, 5 * 365 * 24 * time.Hour},
	} {
		if c.value < c.min || c.value > c.max {
			return fmt.Errorf("-%s must be from %s to %s, got %s", c.flag, c.min, c.max, c.value)
		}
	}
	return in.validateChoices()
}

func (in Input) validateChoices() error {
	if in.Balancer != "haproxy" && in.Balancer != "nginx" {
		return fmt.Errorf("-balancer must be haproxy or nginx, got %q", in.Balancer)
	}
	if in.Layer != 4 && in.Layer != 7 {
		return fmt.Errorf("-layer must be 4 or 7, got %d", in.Layer)
	}
	for _, c := range []struct {
		flag  string
		value float64
	}{
		{"connections", in.Connections}, {"audience", in.Audience}, {"channels", in.Channels}, {"history", in.History}, {"zones", in.Zones},
	} {
		if c.value != math.Trunc(c.value) {
			return fmt.Errorf("-%s must be a whole number, got %v", c.flag, c.value)
		}
	}
	return nil
}
