package main

import (
	"bytes"
	"fmt"
	"time"
)

// sustainedMetrics are what the table shows.
var sustainedMetrics = []metric{deliveryRateFull, deliveryCPU, perCore, talkP50, talkP99, talkMax, growth, publishCPU, clientCPU, clientWakes}

// sustainedDocument is the page of -part sustained.
func (d *document) sustainedDocument() []byte {
	b := d.sustained
	var w bytes.Buffer
	fmt.Fprintf(&w, "# Broadcasts at the highest rate that holds\n\nWritten by `%s` on %s.\n\n", d.command(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&w, "- **Machine:** %s. Node, Redis and client share it, over loopback: the client takes as much of it as it needs.\n- **Versions:** %s, %s.\n", d.machine, d.servers, redisVersion())
	fmt.Fprintf(&w, "- **Load:** %.2f broadcasts a second of %s to %s connections for %s: %d broadcasts, %s deliveries, in each of %s; figures are medians.%s\n",
		b.sustain.rate, bytesText(b.cell.size), thousands(b.cell.connections), b.sustain.last, b.sustain.count(), thousands(b.sustain.count()*b.cell.connections), count(d.rounds, "round"), d.disturbed())
	fmt.Fprintf(&w, "- **Client:** one wsload, which checks every delivery: none is lost, damaged, doubled or out of order, or the run does not count.\n")
	fmt.Fprintf(&w, "- **Holds:** in the last third of the time deliveries come no later than in the first one (median; up to %g of the time between two broadcasts may be chance). The rate was found by going up until it no longer held, then down until it held for %s.\n", tolerance, b.sustain.last)
	fmt.Fprintf(&w, "- **Floor:** a bare loop of write(2) in as many threads as the node has loops, in turn with the node, at the same rate, with the same client; see [bench.md](bench.md).\n\n")
	rateTable(&w, []*block{b}, sustainedMetrics, func(*block, *row) *row { return b.rows[1] })
	return w.Bytes()
}
