package main

import (
	"fmt"
	"io"
	"slices"
)

// floorText stands above the table.
const floorText = `
## The floor of a delivery

A broadcast needs one system call for each connection. The floor is a program that does that and nothing else ([floor](../../test/bench/floor/main.go)): one thread, the same frame, a
bare write(2) after the other, no poller, no queue, no bookkeeping. It runs in turn with wsnode, with the same client, the same pace and the same number of sockets, which it writes to in the order in which they came,
as wsnode does; between two broadcasts all are idle for so long that nothing of them is left in a cache. What the client had to do beside shows whether it was the same: how often it was woken decides what a write costs.

`

// floorMetrics are what the table shows.
var floorMetrics = []metric{deliveryCPU, clientCPU, clientWakes}

// floorTable holds every row against the first one of its block.
func floorTable(w io.Writer, blocks []*block) {
	cols := slices.DeleteFunc(measured(blocks...), func(c column) bool { return !slices.Contains(floorMetrics, c.metric) })
	lines := [][]string{append(append([]string{"server", "connections", "message"}, header("", cols)[1:]...), "CPU a delivery / floor")}
	for _, b := range blocks {
		floor, known := medians(b.rows[0].runs)[deliveryCPU]
		for _, r := range b.rows {
			f := medians(r.runs)
			ratio := ""
			if known && f[deliveryCPU] > 0 {
				ratio = fmt.Sprintf("%.2f", f[deliveryCPU]/floor)
			}
			line := append([]string{r.name, thousands(b.cell.connections), bytesText(b.cell.size)}, cells(cols, f)...)
			lines = append(lines, append(line, ratio))
		}
	}
	writeTable(w, lines)
}
