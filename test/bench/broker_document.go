package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"
)

// fanoutText says what the table is.
const fanoutText = `
- **Way of a message:** a client says it on its connection, the node (` + "`-handler relay`" + `) publishes it on the client's channel, Redis hands it to the node's one subscription, and the node writes
  it to every member. Clients publish, rather than POST /publish, since HTTP would cost the node more than all the rest of a message: the figures would be about net/http.
- **Client:** one thread ([talk](../../test/talk)), which compares every message, and with whom each must come once and in order: a run in which one is missing does not count. It has its share of
  the same CPUs, as Redis has.
- **Messages/s, deliveries/s:** as many as come through, when a new message follows each one that is through, so that some %s deliveries are under way. CPUs are those of that run.
- **p50, p99:** from publishing to the last delivery on the channel, at half that rate, whatever is under way.
`

// fanoutMetrics are what the table shows.
var fanoutMetrics = []metric{publishRate, deliveryRateFull, perCore, talkP50, talkP99, nodeCores, deliveryCPU, redisCores, publishCPU, clientCores}

// fanoutDocument is the page of -part broker.
func (d *document) fanoutDocument() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Channels through Redis\n\nWritten by `%s` on %s.\n\n", d.command(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "- **Machine:** %s. Node, Redis and client share it, over loopback.\n- **Versions:** %s, %s.\n", d.machine, d.servers, redisVersion())
	c := d.fanout[0].cell
	fmt.Fprintf(&b, "- **Load:** %s connections, spread evenly over the channels, messages of %s. Figures are medians of %s.%s", thousands(c.connections), bytesText(c.size), count(d.rounds, "round"), d.disturbed())
	fmt.Fprintf(&b, fanoutText+"\n", thousands(deliveriesUnderWay))
	fanoutTable(&b, d.fanout)
	return b.Bytes()
}

// fanoutTable has a row for each number of channels and each history.
func fanoutTable(w io.Writer, blocks []*block) {
	cols := slices.DeleteFunc(measured(blocks...), func(c column) bool { return !slices.Contains(fanoutMetrics, c.metric) })
	lines := [][]string{append([]string{"channels", "history"}, header("", cols)[1:]...)}
	for _, b := range blocks {
		for _, r := range b.rows {
			lines = append(lines, append([]string{thousands(b.channels), r.name}, cells(cols, medians(r.runs))...))
		}
	}
	writeTable(w, lines)
}
