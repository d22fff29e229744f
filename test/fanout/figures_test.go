//go:build linux

package fanout

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// rows are what the tests saw.
var rows table

type table struct {
	mu   sync.Mutex
	rows []row
}

// row is one fault and what it did to the clients.
type row struct {
	order int // of the faults in the report
	fault string
	*report.Report
	notReady time.Duration // for which a node said that it is not ready
	before   float64       // p99 of echoes in the median second, in seconds
	during   float64
}

// record notes a row for the report, and shows it with -v.
func record(t *testing.T, r row) {
	t.Helper()
	t.Logf("%s", r)
	rows.mu.Lock()
	defer rows.mu.Unlock()
	rows.rows = append(rows.rows, r)
}

func (r row) String() string {
	b := r.Broadcast
	columns := []string{r.fault}
	for _, n := range []int64{
		b.Listeners, b.Published + b.PublishFailed, b.Published, b.Delivered,
		b.Lost, r.Resume.LostTold, b.Duplicated, b.Reordered, b.BroadcastCounts.Recovered,
	} {
		columns = append(columns, figure.Count(n))
	}
	columns = append(columns, figure.Seconds(r.notReady.Seconds()), figure.Seconds(b.Max))
	columns = append(columns, echo(r.before)+" / "+echo(r.during))
	return "| " + strings.Join(columns, " | ") + " |"
}

// echo writes a time; a fault of no length has none.
func echo(seconds float64) string {
	if seconds == 0 {
		return "–"
	}
	return figure.Seconds(seconds)
}

const head = `# Faults in the fan-out

Made by ` + "`make faults`" + ` (test/fanout): two wsnode processes and real Redis servers, broken in a stream of broadcasts to the clients of wsload,
which count on every connection what is lost, doubled and out of order. %s, %d CPUs, %s.

*Acknowledged*: the node said that it is published; of the others nobody is required to have got anything. *Told*: messages that clients were told are lost, each of them;
without history that is what they lack, and what the nodes' ` + "`wsnode_broker_lost_total`" + ` counts for them. *Recovered*: published while the client itself had no connection, and got
by it afterwards. *Not ready*: for how long a node's ` + "`/readyz`" + ` said so. *Slowest*: delivery, from the publishing on; the backlog of a Redis that stood still is published
in one go. The p99 of echoes is that of the median second, before the fault and during it (not of the backlog afterwards).

| fault | clients | published | acknowledged | deliveries | lost | told | doubled | reordered | recovered | not ready | slowest | echo p99 before / during |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

func (t *table) write(file string) error {
	slices.SortFunc(t.rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.fault, b.fault)) })
	var b bytes.Buffer
	fmt.Fprintf(&b, head, runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	for _, r := range t.rows {
		fmt.Fprintln(&b, r)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
