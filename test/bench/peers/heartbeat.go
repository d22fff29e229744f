package main

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// heartbeat is how a server finds out which clients are gone: a ping every interval, and
// an end to whoever is silent for the timeout. Interval 0 is no heartbeat.
type heartbeat struct{ interval, timeout time.Duration }

// on reports whether there is a heartbeat.
func (h heartbeat) on() bool { return h.interval > 0 }

// deadline is when a client that was heard now counts as gone.
func (h heartbeat) deadline() time.Time { return time.Now().Add(h.timeout) }

// every calls ping once an interval, in a goroutine that exists only meanwhile, until it
// fails or stop is called: the cheapest way where a library has none of its own.
func (h heartbeat) every(ping func() error) (stop func()) {
	var t *time.Timer
	ready := make(chan struct{}) // t is set
	t = time.AfterFunc(h.interval, func() {
		<-ready
		if ping() == nil {
			t.Reset(h.interval)
		}
	})
	close(ready)
	return func() { t.Stop() }
}

// pongs counts the heartbeats that came back.
var pongs atomic.Int64

func init() {
	promauto.NewCounterFunc(prometheus.CounterOpts{Name: "peer_pongs_total", Help: "Pings that were answered."},
		func() float64 { return float64(pongs.Load()) })
}
