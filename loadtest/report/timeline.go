package report

import (
	"slices"
	"time"
)

const (
	// maxPoints bounds the timeline: beyond it pairs of points become one, so
	// that a run of any length has 500 to 1,000.
	maxPoints = 1000
	// timelineDigits is the precision of a point's percentiles: a thousand
	// points are kept with their distributions, so that pairs merge exactly.
	timelineDigits = 2
	// shortest is the least length of a point of its own, in seconds: over less,
	// what is sampled now and then makes no rate.
	shortest = 0.5
)

// Moment is the state of a run when an interval ends.
type Moment struct {
	At    time.Duration // since the run began
	Phase string
	// Total is all that was counted by now, its distributions are those of the
	// interval alone.
	Total *Counts
	Nodes []*NodeUse
}

// Timeline makes points of moments. The zero value is an empty one.
type Timeline struct {
	points []*interval
	per    int // moments in a full point: 1, 2, 4, …
	last   Counts
	at     time.Duration
	latest Point
}

// Add notes the end of an interval that began with the moment added last.
func (t *Timeline) Add(m Moment) {
	length := (m.At - t.at).Seconds()
	if length <= 0 {
		return
	}
	now := m.Total.Copy()
	next := &interval{Point: difference(&t.last, &now), moments: 1}
	next.T, next.Interval, next.Phase = m.At.Seconds(), length, m.Phase
	next.Generator = ProcessUse{
		MemoryBytes: float64(now.Usage.ResidentBytes),
		CPU:         max(now.Usage.CPUSeconds-t.last.Usage.CPUSeconds, 0) / length,
	}
	next.Nodes = slices.Clone(m.Nodes)
	next.connect.add(m.Total.ConnectLatency.h)
	next.handshake.add(m.Total.HandshakeLatency.h)
	next.echo.add(m.Total.EchoLatency.h)
	next.service.add(m.Total.EchoService.h)
	next.delivery.add(m.Total.BroadcastLatency.h)
	next.reconnect.add(m.Total.ReconnectLatency.h)
	t.last, t.at = now, m.At
	t.latest = next.finished()
	t.per = max(t.per, 1)
	if n := len(t.points); n > 0 && (t.points[n-1].moments < t.per || length < shortest) {
		t.points[n-1].merge(next)
		return
	}
	t.points = append(t.points, next)
	if len(t.points) > maxPoints {
		t.halve()
	}
}

// halve merges the points in pairs.
func (t *Timeline) halve() {
	t.per *= 2
	merged := t.points[:0]
	for i, p := range t.points {
		if i%2 == 1 {
			merged[len(merged)-1].merge(p)
		} else {
			merged = append(merged, p)
		}
	}
	clear(t.points[len(merged):])
	t.points = merged
}

// Latest returns the interval that ended last, whatever it was merged with.
func (t *Timeline) Latest() Point { return t.latest }

// Points returns the timeline so far.
func (t *Timeline) Points() []Point {
	points := make([]Point, 0, len(t.points))
	for _, p := range t.points {
		points = append(points, p.finished())
	}
	return points
}
