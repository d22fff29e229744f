package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/figure"
)

// watchGap is the time between two lines of the live view.
const watchGap = 10 * time.Second

// watch is the live view: it tells where the load stands, until ctx ends.
func (f *Fleet) watch(ctx context.Context, l *Load) {
	start := time.Now()
	ticker := time.NewTicker(watchGap)
	defer ticker.Stop()
	last, at := Figures{}, start
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			figures, err := l.Figures(ctx)
			if err != nil {
				continue // the leader begins, or ends: the steps find out
			}
			used, _ := memoryUsed()
			f.say("%s  %s", figure.Clock(now.Sub(start).Seconds()), liveLine(last, figures, now.Sub(at), used))
			last, at = figures, now
		}
	}
}

// liveLine says what is, and what changes how fast.
func liveLine(before, now Figures, passed time.Duration, used int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s connections, %s", figure.Count(int64(now["wsload_connections"])), figure.Bytes(float64(used)))
	for _, m := range []struct{ metric, what string }{
		{"wsload_connections_established_total", "connected"},
		{"wsload_connection_failures_total", "failed"},
		{"wsload_echoes_total", "echoed"},
		{"wsload_broadcast_deliveries_total", "delivered"},
		{"wsload_pings_answered_total", "pings answered"},
		{"wsload_connections_closed_total", "closed"},
		{"wsload_reconnections_total", "back"},
	} {
		if v := (now[m.metric] - before[m.metric]) / passed.Seconds(); v > 0 {
			fmt.Fprintf(&b, ", %s %s", figure.Rate(v), m.what)
		}
	}
	return b.String()
}
