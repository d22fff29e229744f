package main

import (
	"fmt"
	"io"
	"slices"
)

// floorText stands above the table.
const floorText = `
## The floor of a delivery

A broadcast needs one system call for each connection. The floor is a program that does that and nothing else ([floor](../../test/bench/floor/main.go)): in as many threads as wsnode has loops, one bare write(2) after the other, no poller, no queue, no bookkeeping. It runs in turn with wsnode, with the same client, at the same pace and with the same number of sockets, which it writes to in the order in which they came, as wsnode does; between two broadcasts the client has read all of the other sockets, so that nothing of a socket is left in a cache. How often the client was woken is shown because waking it is part of what a write costs: a client that is awake makes the same write cheaper.

`

// floorMetrics are what the table shows.
var floorMetrics = []metric{deliveryCPU, clientCPU, clientWakes}

// floorBlocks are cells in which wsnode only broadcasts, beside the floor.
func floorBlocks(cfg config) (blocks []*block) {
	for _, c := range cfg.floor {
		blocks = append(blocks, &block{cell: c, kinds: []kind{deliveries}, rounds: cfg.rounds, rows: []*row{
			{name: "write(2), 1 thread", setup: setup{lib: "floor", args: []string{"-threads", "1"}}},
			{name: "wsnode, 1 loop", setup: setup{lib: "wsnode", args: []string{"-loops", "1"}}},
			{name: "write(2), 2 threads", setup: setup{lib: "floor", args: []string{"-threads", "2"}}},
			{name: "wsnode, 2 loops", setup: setup{lib: "wsnode", args: []string{"-loops", "2"}}},
		}})
	}
	return blocks
}

// floorTable holds each wsnode against the floor in the row above it.
func floorTable(w io.Writer, blocks []*block) {
	rateTable(w, blocks, floorMetrics, func(b *block, r *row) *row { return b.rows[slices.Index(b.rows, r)/2*2] })
}

// rateTable shows the metrics, and what a delivery costs as a multiple of that of floor.
func rateTable(w io.Writer, blocks []*block, show []metric, floor func(*block, *row) *row) {
	cols := slices.DeleteFunc(measured(blocks...), func(c column) bool { return !slices.Contains(show, c.metric) })
	lines := [][]string{append(append([]string{"server", "connections", "message"}, header("", cols)[1:]...), "CPU a delivery / floor")}
	for _, b := range blocks {
		for _, r := range b.rows {
			f := medians(r.runs)
			line := append([]string{r.name, thousands(b.cell.connections), bytesText(b.cell.size)}, cells(cols, f)...)
			least := medians(floor(b, r).runs)[deliveryCPU]
			if least > 0 && f[deliveryCPU] > 0 {
				line = append(line, fmt.Sprintf("%.2f", f[deliveryCPU]/least))
			}
			lines = append(lines, line)
		}
	}
	writeTable(w, lines)
}
