package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// equal is up to which ratio to the best peer a figure counts as equal to it: less than
// rounds of the same server differ by.
const equal = 1.03

// scalingMetrics are what the number of loops is about.
var scalingMetrics = []metric{connectCPU, echoCPU, deliveryCPU, heartbeatCPU, burstCPU, burstRate}

// measured returns the columns for which a row of the blocks has a figure.
func measured(blocks ...*block) (list []column) {
	for _, c := range columns {
		has := slices.ContainsFunc(blocks, func(b *block) bool {
			return slices.ContainsFunc(b.rows, func(r *row) bool { _, ok := medians(r.runs)[c.metric]; return ok })
		})
		if has {
			list = append(list, c)
		}
	}
	return list
}

// writeTable prints Markdown, the first column to the left and the others to the right.
func writeTable(w io.Writer, lines [][]string) {
	tw := tabwriter.NewWriter(w, 0, 1, 1, ' ', 0)
	for i, cells := range lines {
		fmt.Fprintln(tw, "| "+strings.Join(cells, "\t| ")+"\t|")
		if i == 0 {
			fmt.Fprintln(tw, "| ---"+strings.Repeat("\t| ---:", len(cells)-1)+"\t|")
		}
	}
	_ = tw.Flush()
}

// cells are the figures as they are shown.
func cells(cols []column, f figures) (list []string) {
	for _, c := range cols {
		if v, ok := f[c.metric]; ok {
			list = append(list, fmt.Sprintf(c.format, v*c.unit))
		} else {
			list = append(list, "")
		}
	}
	return list
}

// peerTable has a row for each server, and one that holds wsnode against the best peer.
func peerTable(w io.Writer, b *block) {
	cols := measured(b)
	lines := [][]string{header("server", cols)}
	for _, r := range b.rows {
		lines = append(lines, append([]string{r.name}, cells(cols, medians(r.runs))...))
	}
	if ratios := compare(b); len(ratios) > 0 {
		line := []string{"wsnode / best peer"}
		for _, c := range cols {
			line = append(line, ratios[c.metric].String())
		}
		lines = append(lines, line)
	}
	writeTable(w, lines)
}

// scalingTable has a row for each number of connections and setup.
func scalingTable(w io.Writer, blocks []*block) {
	cols := slices.DeleteFunc(measured(blocks...), func(c column) bool { return !slices.Contains(scalingMetrics, c.metric) })
	lines := [][]string{append([]string{"loops", "connections"}, header("", cols)[1:]...)}
	for _, b := range blocks {
		for _, r := range b.rows {
			lines = append(lines, append([]string{r.name, thousands(b.cell.connections)}, cells(cols, medians(r.runs))...))
		}
	}
	writeTable(w, lines)
}

func header(first string, cols []column) []string {
	line := []string{first}
	for _, c := range cols {
		line = append(line, c.title)
	}
	return line
}

// ratio of wsnode's figure to that of its best peer.
type ratio struct {
	value float64
	peer  string
}

// first reports whether wsnode is better than every peer, or as good.
func (r ratio) first() bool { return r.value <= equal }

func (r ratio) String() string {
	switch {
	case r.peer == "":
		return ""
	case r.first():
		return fmt.Sprintf("%.2f (%s)", r.value, r.peer)
	default:
		return fmt.Sprintf("**%.2f** (%s)", r.value, r.peer)
	}
}

// compare holds wsnode against the best peer in every metric that both have.
func compare(b *block) map[metric]ratio {
	by := map[string]figures{}
	for _, r := range b.rows {
		by[r.name] = medians(r.runs)
	}
	own := by["wsnode"]
	delete(by, "wsnode")
	ratios := map[metric]ratio{}
	for m, v := range own {
		if peer, ok := best(by, m); ok {
			ratios[m] = ratio{v / by[peer][m], peer}
		}
	}
	return ratios
}

// thousands writes 19000 as 19,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bytesText writes 4096 as 4 KiB.
func bytesText(n int) string {
	if n >= 1024 && n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n/1024)
	}
	return fmt.Sprintf("%d B", n)
}
