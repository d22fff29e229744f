package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/loadtest/figure"
)

// WriteComparison writes the numbers of two reports side by side, with the ratio
// of the second to the first. Numbers that are 0 in both are left out.
func WriteComparison(out io.Writer, nameA string, a *Report, nameB string, b *Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tA\tB\tB / A\t\n")
	for _, row := range comparison(a, b) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", row.name, row.a, row.b, row.ratio)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "A  %s: %s\nB  %s: %s\n\n", nameA, headline(a), nameB, headline(b))
	if _, err := io.WriteString(out, table.String()); err != nil {
		return err
	}
	return w.Flush()
}

// headline says which run it was and how it ended.
func headline(r *Report) string {
	verdict := "passed"
	if !r.OK {
		verdict = "failed"
		for _, o := range r.Expectations {
			if !o.OK {
				verdict += fmt.Sprintf(", %s is %s", o.Text, figure.Number(o.Value))
			}
		}
	}
	return fmt.Sprintf("run %s of %s to %s, %s", r.Run, r.Started.Format("2006-01-02 15:04:05 UTC"), strings.Join(r.Targets, " "), verdict)
}

type comparisonRow struct{ name, a, b, ratio string }

// sections is the order of the table: that of the summary, and what is new last.
var sections = []string{
	"duration", "workers", "workers_lost", "agents_lost", "planned", "connected", "failed", "not_started", "held", "failures",
	"closed_unexpected", "closed", "close_failed", "close_failures", "connect", "handshake", "echo", "broadcast",
	"reconnect", "reconnect_failures", "stall", "stall_closed", "generator", "nodes",
}

// skipped are numbers that say nothing beside those of another run.
var skipped = []string{"seed", "ok", "interrupted"}

func comparison(a, b *Report) (rows []comparisonRow) {
	left, right := a.Metrics(), b.Metrics()
	names := map[string]bool{}
	for _, metrics := range []map[string]float64{left, right} {
		for name, v := range metrics {
			if v != 0 && !slices.Contains(skipped, name) {
				names[name] = true
			}
		}
	}
	for _, name := range sorted(names) {
		rows = append(rows, comparisonRow{pad(name, names), write(name, left[name]), write(name, right[name]), ratio(left[name], right[name])})
	}
	return rows
}

// pad fills a name up to the longest: the table's other columns are set to the right.
func pad(name string, names map[string]bool) string {
	longest := 0
	for n := range names {
		longest = max(longest, utf8.RuneCountInString(n))
	}
	return name + strings.Repeat(" ", longest-utf8.RuneCountInString(name))
}

func sorted(names map[string]bool) []string {
	var list []string
	for name := range names {
		list = append(list, name)
	}
	rank := func(name string) int {
		section, _, _ := strings.Cut(name, ".")
		if i := slices.Index(sections, section); i >= 0 {
			return i
		}
		return len(sections)
	}
	place := func(name string) int {
		return max(slices.Index(percentileOrder, name[strings.LastIndexByte(name, '.')+1:]), 0)
	}
	slices.SortFunc(list, func(x, y string) int {
		if d := rank(x) - rank(y); d != 0 {
			return d
		}
		if d := place(x) - place(y); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return list
}

// percentileOrder is how the last parts of names follow each other; all others
// come before them.
var percentileOrder = []string{
	"", "intended_rate", "actual_rate", "worst_lag", "behind", "count", "min", "mean", "p50", "p90", "p99", "p995", "p999", "max",
}

// write gives a number the unit that its name implies.
func write(name string, v float64) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case last == "duration" || last == "cpu_seconds" || last == "worst_lag" ||
		slices.Index(percentileOrder, last) >= slices.Index(percentileOrder, "min"):
		return figure.Seconds(v)
	case strings.HasSuffix(last, "_rate"):
		return figure.Rate(v)
	case strings.Contains(last, "bytes") || strings.HasPrefix(last, "memory_"):
		return figure.Bytes(v)
	case v == math.Trunc(v):
		return figure.Count(int64(v))
	}
	return figure.Number(v)
}

func ratio(a, b float64) string {
	switch a {
	case b:
		return "="
	case 0:
		return "-"
	}
	return fmt.Sprintf("%.2f", b/a)
}
