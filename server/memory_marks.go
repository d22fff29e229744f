//go:build linux

package main

import (
	"github.com/wsfleet/wsfleet/server/memlimit"
)

const (
	// receiveShare of the memory limit is for messages that have not arrived whole.
	receiveShare = 16
	// maxReceiveMemory in bytes: what comes at more than a few GB/s is not waited for any
	// longer by having more.
	maxReceiveMemory = 128 << 20
)

// receiveMemory is each loop's part of -receive-memory; limit is what the process may
// use, all in bytes.
func (c *Config) receiveMemory(limit uint64) int {
	total := c.ReceiveMemory
	if total == 0 {
		total = int(min(limit/receiveShare, maxReceiveMemory))
	}
	return max(1, total/c.Loops)
}

// memoryMarks returns when the node refuses handshakes for want of memory, and when
// it takes them again. Readiness fails from the low mark on, so that the balancer
// sends clients elsewhere before anyone is refused.
func (c *Config) memoryMarks() memlimit.Marks {
	return memlimit.Marks{High: float64(c.MemoryHigh) / 100, Low: float64(c.MemoryLow) / 100}
}
