//go:build linux

package main

import "github.com/wsfleet/wsfleet/server/memlimit"

// memoryMarks returns when the node refuses handshakes for want of memory, and when
// it takes them again. Readiness fails from the low mark on, so that the balancer
// sends clients elsewhere before anyone is refused.
func (c *Config) memoryMarks() memlimit.Marks {
	return memlimit.Marks{High: float64(c.MemoryHigh) / 100, Low: float64(c.MemoryLow) / 100}
}
