//go:build linux

package engine

import (
	"net/netip"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// Config is one worker's part of a run. It travels as JSON.
type Config struct {
	Run    string `json:"run"`
	Seed   uint64 `json:"seed"`
	Total  int    `json:"total"` // connections of the whole run
	Offset int    `json:"offset"`
	Stride int    `json:"stride"` // this worker has the connections Offset, Offset+Stride, …
	Hosts  int    `json:"hosts"`  // Stride is a multiple of it: this worker's host has the connections Offset, Offset+Hosts, …
	// The worker's k-th connection is the run's start number RampOffset + k·RampStride.
	RampOffset int `json:"ramp_offset"`
	RampStride int `json:"ramp_stride"`

	// ClockAhead is how far this host's clock is before that of the publisher.
	ClockAhead time.Duration `json:"clock_ahead_ns"`

	Targets []Target         `json:"targets"`
	Connect scenario.Connect `json:"connect"`
	Timeout time.Duration    `json:"timeout_ns"`
	Close   scenario.Close   `json:"close"`

	Reconnect *scenario.Reconnect `json:"reconnect,omitempty"`
	Resume    bool                `json:"resume,omitempty"`

	Handshake Handshake `json:"handshake"`
	TLS       TLS       `json:"tls"`

	Broadcasts int `json:"broadcasts"` // of the whole run
	Channels   int `json:"channels"`   // that they go to in turn
}

// Target is one address to connect to, with where to connect from.
type Target struct {
	URL     string         `json:"url"`
	Addr    netip.AddrPort `json:"addr"`
	Host    string         `json:"host"`               // header
	Path    string         `json:"path"`               // with the query
	TLSName string         `json:"tls_name,omitempty"` // the name to verify; empty for a connection without TLS
	Sources []netip.Addr   `json:"sources,omitempty"`
}

// Connections returns how many connections the worker has.
func (c *Config) Connections() int {
	return (c.Total - c.Offset + c.Stride - 1) / c.Stride
}
