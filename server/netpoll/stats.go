//go:build linux

package netpoll

import (
	"sync/atomic"
	"time"
)

// Stats counts what a loop did. Its loop writes it, anyone may read it.
type Stats struct {
	Accepted     atomic.Uint64
	AcceptErrors atomic.Uint64
	BytesRead    atomic.Uint64
	BytesWritten atomic.Uint64
	QueuedBytes  atomic.Int64 // waiting in write queues now
	Conns        atomic.Int64 // open now
	Idle         atomic.Int64 // time spent waiting for something to do, ns

	busySince atomic.Int64 // start of the round in progress, ns since process start; 0 while waiting
	worstLag  atomic.Int64 // longest round or stall since Lag was last asked, ns
}

var processStart = time.Now()

func (s *Stats) roundStarts(now time.Time) { s.busySince.Store(int64(now.Sub(processStart))) }

func (s *Stats) roundEnds(now time.Time) {
	s.lagged(now.Sub(processStart) - time.Duration(s.busySince.Swap(0)))
}

func (s *Stats) lagged(d time.Duration) {
	if int64(d) > s.worstLag.Load() {
		s.worstLag.Store(int64(d))
	}
}

// Lag returns the longest time for which events had to wait because the loop worked
// through a round or stalled (see Loop.Now), since Lag was last called; a round in
// progress counts, so a loop that is stuck shows it.
func (s *Stats) Lag() time.Duration {
	worst := s.worstLag.Swap(0)
	if since := s.busySince.Load(); since != 0 {
		worst = max(worst, int64(time.Since(processStart))-since)
	}
	return time.Duration(worst)
}
