//go:build linux

package siege

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
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

func (s seconds) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// String gives the median, and what it is of.
func (s seconds) String() string {
	if len(s) == 1 {
		return milliseconds(s[0])
	}
	var each []string
	for _, v := range s {
		each = append(each, milliseconds(v))
	}
	return fmt.Sprintf("%s (of %s)", milliseconds(s.median()), strings.Join(each, ", "))
}

func milliseconds(seconds float64) string { return fmt.Sprintf("%.1f ms", seconds*1e3) }

// compare records the medians without and with an attack, and their ratio.
func compare(t *testing.T, what string, without, with seconds) {
	t.Helper()
	record(t, what, "%s without, %s with: %.2f times", without, with, with.median()/without.median())
}
