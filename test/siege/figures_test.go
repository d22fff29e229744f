//go:build linux

package siege

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

// figures are what the tests saw, in the order of the tests.
var figures table

type table struct{ rows [][2]string }

// record notes a figure for the report, and shows it with -v.
func record(t *testing.T, what, format string, args ...any) {
	t.Helper()
	seen := fmt.Sprintf(format, args...)
	t.Logf("%s: %s", what, seen)
	figures.rows = append(figures.rows, [2]string{what, seen})
}

func (f *table) write(file string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# wsnode under siege\n\nMade by `make siege`: a real wsnode process, attacked at full size (test/siege). %s, %d CPUs, %s.\n\n| what | seen |\n| --- | --- |\n",
		runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	for _, row := range f.rows {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// seconds of any number of rounds, whose median is what counts on a busy machine.
type seconds []float64

func (s seconds) median() time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return time.Duration((sorted[(n-1)/2] + sorted[n/2]) / 2 * float64(time.Second)).Round(10 * time.Microsecond)
}

// over is the ratio of the medians.
func (s seconds) over(base seconds) float64 {
	return s.median().Seconds() / base.median().Seconds()
}
