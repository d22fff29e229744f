package html

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// tile is one of the key figures at the top.
type tile struct {
	Name, Value, Detail string
	Bad                 bool
}

func tiles(r *report.Report) []tile {
	list := []tile{
		{
			"Connected", figure.Count(r.Connected), fmt.Sprintf("of %s planned, %s failed", figure.Count(r.Planned), figure.Count(r.Failed)),
			r.Connected < r.Planned,
		},
		rateTile("Connect rate", r.Connect.Rates),
	}
	if e := r.Echo; e.Sent > 0 {
		list = append(list, tile{
			"Echo p99", figure.Seconds(e.P99), fmt.Sprintf("%s of %s right", figure.Count(e.OK), figure.Count(e.Sent)),
			e.OK < e.Sent,
		})
	}
	if b := r.Broadcast; b.Expected > 0 {
		list = append(list, tile{
			"Broadcasts lost", figure.Count(b.Lost), fmt.Sprintf("of %s expected, p99 %s", figure.Count(b.Expected), figure.Seconds(b.P99)),
			b.Lost > 0,
		})
	}
	if c := r.Reconnect; c.Cut > 0 {
		list = append(list, tile{
			"Reconnected", figure.Count(c.ReconnectCounts.OK), fmt.Sprintf("of %s cut, p99 %s", figure.Count(c.Cut), figure.Seconds(c.P99)),
			c.ReconnectCounts.OK < c.Cut,
		})
	}
	if n := r.Nodes; n.Connections > 0 {
		list = append(list, tile{
			"Servers", figure.Bytes(n.BytesPerConnection), fmt.Sprintf("a connection, %s of CPU", figure.Seconds(n.CPUSeconds)), false,
		})
	}
	return append(list, tile{
		"Generator", figure.Bytes(r.Generator.BytesPerClient), fmt.Sprintf("a client, %s of CPU", figure.Seconds(r.Generator.CPUSeconds)), false,
	})
}

func rateTile(name string, r report.Rates) tile {
	if r.IntendedRate == 0 {
		return tile{name, "–", "one start", false}
	}
	return tile{name, figure.Rate(r.ActualRate), "of " + figure.Rate(r.IntendedRate) + " intended", r.Behind}
}

// timesRow is a line of the table of times.
type timesRow struct {
	Name, What string
	report.Percentiles
	Rates *report.Rates // nil for what has no schedule of its own
}

func timesRows(r *report.Report) (rows []timesRow) {
	add := func(name, what string, p report.Percentiles, rates *report.Rates) {
		if p.Count > 0 {
			rows = append(rows, timesRow{name, what, p, rates})
		}
	}
	add("Connect", "from the intended start to the TCP connection", r.Connect.Percentiles, &r.Connect.Rates)
	add("Handshake", "from there to the verified answer", r.Handshake, nil)
	add("Echo", "from the intended sending to the verified reply", r.Echo.Percentiles, &r.Echo.Rates)
	add("Echo, service", "from the actual sending: what a closed loop would report", r.Echo.Service, nil)
	add("Broadcast", "from the publishing to each delivery", r.Broadcast.Percentiles, &r.Broadcast.Rates)
	add("Reconnect", "from the cut to the verified answer", r.Reconnect.Percentiles, nil)
	return rows
}

// classRow is a line of the table of failures.
type classRow struct {
	Stage, Class string
	Count        int64
}

func classRows(r *report.Report) (rows []classRow) {
	for stage, classes := range map[string]report.Classes{
		"Connecting": r.Failures, "Closed unexpectedly": r.Closed, "Closing": r.CloseFailures,
		"Reconnecting": r.ReconnectFailures, "While reading nothing": r.StallClosed,
	} {
		for class, n := range classes {
			rows = append(rows, classRow{stage, class, n})
		}
	}
	slices.SortFunc(rows, func(a, b classRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Class, b.Class))
	})
	return rows
}
