//go:build linux

package fanout

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
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
	text := fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", r.fault, figure.Count(b.Listeners),
		figure.Count(b.Published+b.PublishFailed), figure.Count(b.Published), figure.Count(b.Delivered),
		figure.Count(b.Lost), figure.Count(b.Duplicated), figure.Count(b.Reordered), figure.Count(b.Recovered),
		figure.Seconds(r.notReady.Seconds()), figure.Seconds(b.Max))
	return text + fmt.Sprintf(" %s / %s |", figure.Seconds(r.before), figure.Seconds(r.during))
}

const head = `# Faults in the fan-out

Made by ` + "`make faults`" + ` (test/fanout): two wsnode processes and real Redis servers, broken in a stream of broadcasts to the clients of wsload,
which count on every connection what is lost, doubled and out of order. %s, %d CPUs, %s.

*Acknowledged*: the node said that it is published; of the others nobody is required to have got anything. *Recovered*: published while the client itself had no
connection, and got by it afterwards. *Not ready*: for how long a node's ` + "`/readyz`" + ` said so. *Slowest*: delivery, from the publishing on. The p99 of echoes is
that of the median second, before and during the fault.

| fault | clients | published | acknowledged | deliveries | lost | doubled | reordered | recovered | not ready | slowest | echo p99 before / during |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
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
