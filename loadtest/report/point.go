package report

import (
	"maps"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Point is what happened in one interval of a run. The counts are those of the
// interval alone: over all points they sum up to the report's. A worker that dies
// takes back what it had counted, so a count may be negative then.
type Point struct {
	T        float64 `json:"t"`        // end of the interval, seconds since the run began
	Interval float64 `json:"interval"` // its length in seconds
	Phase    string  `json:"phase"`    // at its end

	Open          int64   `json:"open"` // connections, at its end
	Started       int64   `json:"started"`
	Connected     int64   `json:"connected"`
	Failed        int64   `json:"failed"`
	Failures      Classes `json:"failures,omitempty"`
	Closed        Classes `json:"closed,omitempty"`
	CloseFailures Classes `json:"close_failures,omitempty"`
	// ReconnectFailures are attempts that failed.
	ReconnectFailures Classes `json:"reconnect_failures,omitempty"`

	Connect   PointTimes     `json:"connect,omitzero"`
	Handshake PointTimes     `json:"handshake,omitzero"`
	Echo      PointEcho      `json:"echo,omitzero"`
	Broadcast PointBroadcast `json:"broadcast,omitzero"`
	Reconnect PointReconnect `json:"reconnect,omitzero"`

	Generator ProcessUse `json:"generator"`
	// Nodes has the use of each node, in the order of the report's; null where
	// it is not known.
	Nodes []*NodeUse `json:"nodes,omitempty"`
}

// PointTimes are percentiles in seconds, right to one in a hundred.
type PointTimes struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// PointEcho is about the echoes of one interval.
type PointEcho struct {
	Sent int64 `json:"sent"`
	OK   int64 `json:"ok"`
	Bad  int64 `json:"bad"` // all that went wrong with an echo
	PointTimes
	Service PointTimes `json:"service,omitzero"` // from the actual sending
}

// PointBroadcast is about the deliveries of one interval.
type PointBroadcast struct {
	Delivered int64 `json:"delivered"`
	PointTimes
}

// PointReconnect is about the connections of one interval that churn or a storm
// cut, and those that are back.
type PointReconnect struct {
	Cut int64 `json:"cut"`
	OK  int64 `json:"ok"`
	PointTimes
}

// ProcessUse is what processes take of a machine.
type ProcessUse struct {
	MemoryBytes float64 `json:"memory_bytes"` // resident, at the end
	CPU         float64 `json:"cpu"`          // cores in use, on average
}

// interval is a point that can still be merged with the next one.
type interval struct {
	Point
	moments                                                int
	connect, handshake, echo, service, delivery, reconnect distribution
}

// finished returns the point with its percentiles. It shares nothing that a later
// merge changes.
func (p *interval) finished() Point {
	point := p.Point
	point.Failures, point.Closed, point.CloseFailures = maps.Clone(p.Failures), maps.Clone(p.Closed), maps.Clone(p.CloseFailures)
	point.ReconnectFailures = maps.Clone(p.ReconnectFailures)
	point.Nodes = slices.Clone(p.Nodes)
	point.Connect, point.Handshake = p.connect.times(), p.handshake.times()
	point.Echo.PointTimes, point.Echo.Service = p.echo.times(), p.service.times()
	point.Broadcast.PointTimes, point.Reconnect.PointTimes = p.delivery.times(), p.reconnect.times()
	return point
}

func difference(from, to *Counts) Point {
	bad := func(e EchoCounts) int64 { return e.Corrupted + e.Timeout + e.Closed + e.Unexpected }
	return Point{
		Open:          to.Open,
		Started:       to.Started - from.Started,
		Connected:     to.Connected - from.Connected,
		Failed:        to.Failed - from.Failed,
		Failures:      to.Failures.since(from.Failures),
		Closed:        to.Closed.since(from.Closed),
		CloseFailures: to.CloseFailures.since(from.CloseFailures),
		Echo: PointEcho{
			Sent: to.Echo.Sent - from.Echo.Sent,
			OK:   to.Echo.OK - from.Echo.OK,
			Bad:  bad(to.Echo) - bad(from.Echo),
		},
		ReconnectFailures: to.ReconnectFailures.since(from.ReconnectFailures),

		Broadcast: PointBroadcast{Delivered: to.Broadcast.Delivered - from.Broadcast.Delivered},
		Reconnect: PointReconnect{Cut: to.Reconnect.Cut - from.Reconnect.Cut, OK: to.Reconnect.OK - from.Reconnect.OK},
	}
}

// since returns the classes that have changed, by how much; nil for none.
func (c Classes) since(before Classes) (changed Classes) {
	for class, n := range c {
		if d := n - before[class]; d != 0 {
			changed.add(class, d)
		}
	}
	for class, n := range before {
		if _, still := c[class]; !still && n != 0 {
			changed.add(class, -n)
		}
	}
	return changed
}

// merge adds the interval that follows p.
func (p *interval) merge(next *interval) {
	together := p.Interval + next.Interval
	mean := func(a, b float64) float64 { return (a*p.Interval + b*next.Interval) / together }
	p.Generator.CPU = mean(p.Generator.CPU, next.Generator.CPU)
	p.Generator.MemoryBytes = next.Generator.MemoryBytes
	for i, use := range next.Nodes {
		switch {
		case i >= len(p.Nodes):
			p.Nodes = append(p.Nodes, use)
		case use == nil:
		case p.Nodes[i] == nil:
			p.Nodes[i] = use
		default:
			both := *use
			if before := p.Nodes[i].CPU; before != nil && use.CPU != nil {
				cpu := mean(*before, *use.CPU)
				both.CPU = &cpu
			}
			p.Nodes[i] = &both
		}
	}
	p.T, p.Interval, p.Phase = next.T, together, next.Phase
	p.moments += next.moments
	p.Open = next.Open
	p.Started += next.Started
	p.Connected += next.Connected
	p.Failed += next.Failed
	p.Failures = sum(p.Failures, next.Failures)
	p.Closed = sum(p.Closed, next.Closed)
	p.CloseFailures = sum(p.CloseFailures, next.CloseFailures)
	p.ReconnectFailures = sum(p.ReconnectFailures, next.ReconnectFailures)
	p.Echo.Sent += next.Echo.Sent
	p.Echo.OK += next.Echo.OK
	p.Echo.Bad += next.Echo.Bad
	p.Broadcast.Delivered += next.Broadcast.Delivered
	p.Reconnect.Cut += next.Reconnect.Cut
	p.Reconnect.OK += next.Reconnect.OK
	p.connect.add(next.connect.h)
	p.handshake.add(next.handshake.h)
	p.echo.add(next.echo.h)
	p.service.add(next.service.h)
	p.delivery.add(next.delivery.h)
	p.reconnect.add(next.reconnect.h)
}

func sum(a, b Classes) Classes {
	a.merge(b)
	maps.DeleteFunc(a, func(_ string, n int64) bool { return n == 0 })
	return a
}

// distribution is a Latency of the timeline's precision.
type distribution struct{ h *hdrhistogram.PackedHistogram }

func (d *distribution) add(h *hdrhistogram.PackedHistogram) {
	if h == nil {
		return
	}
	if d.h == nil {
		d.h = newHistogram(timelineDigits)
	}
	for value, count := range h.ForEachBucket {
		_ = d.h.RecordValues(value, count) // the same range
	}
}

func (d distribution) times() PointTimes {
	p := Latency(d).Percentiles()
	return PointTimes{P50: p.P50, P90: p.P90, P99: p.P99, Max: p.Max}
}
