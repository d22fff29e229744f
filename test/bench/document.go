package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// document is the page that the run becomes.
type document struct {
	args    []string
	rounds  int
	machine string
	servers string // and their versions

	peers, scaling, floor, fanout []*block
	sustained                     *block
}

func (d *document) blocks() []*block {
	list := slices.Concat(d.peers, d.floor, d.scaling, d.fanout)
	if d.sustained != nil {
		list = append(list, d.sustained)
	}
	return list
}

func (d *document) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# wsnode beside other libraries\n\nWritten by `%s` on %s; what stands behind the figures is in [bench-notes.md](bench-notes.md).\n\n",
		d.command(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "- **Machine:** %s. Server and client share it, over loopback.\n- **Servers:** %s.\n", d.machine, d.servers)
	fmt.Fprintf(&b, "- **Client:** one wsload for all. It compares every echo and counts every delivery: a run in which one is missing does not count.\n")
	fmt.Fprintf(&b, "- **Order:** within a table the servers take turns; figures are medians of %s.%s%s\n", count(d.rounds, "round"), d.spread(), d.disturbed())
	fmt.Fprintf(&b, "- **Memory:** resident memory beyond that of the empty server, once every connection has echoed, got the broadcasts and was idle for %g s.\n",
		settleTime.Seconds())
	fmt.Fprintf(&b, "- **CPU:** user and system time of the server, what its kernel side of loopback costs included: connecting at %s a second, echoes at %s a second, broadcasts at no more than %s deliveries a second.\n",
		thousands(connectRate), thousands(echoRate), thousands(deliveryRate))
	fmt.Fprintf(&b, "- **Heartbeat:** connections do nothing but answer the server's pings, one every %g s each, and a connection that is silent for %g s would be closed; all CPU of the server in %g s, divided by the pongs that came. The other figures are without heartbeats.\n",
		heartbeat.Seconds(), (heartbeatTimeout * heartbeat).Seconds(), heartbeatTime.Seconds())
	fmt.Fprintf(&b, "- **Echo p50, p99:** from the time at which the message was to be sent.\n")
	if text := d.verdict(); text != "" {
		fmt.Fprintf(&b, "\nThe last row of a table is wsnode's figure divided by that of the best peer; below 1 it is better. %s\n", text)
	}
	for _, block := range d.peers {
		fmt.Fprintf(&b, "\n## %s\n\n", upperFirst(block.cell.title()))
		peerTable(&b, block)
	}
	if len(d.floor) > 0 {
		fmt.Fprint(&b, floorText)
		floorTable(&b, d.floor)
	}
	if len(d.scaling) > 0 {
		fmt.Fprintf(&b, "\n## wsnode's loops\n\nMessages of %s, one round. *All at once*: every connection sends its message at the same moment, and one loop of wsload sends and reads them all, on the same CPUs.\n\n",
			bytesText(d.scaling[0].cell.size))
		scalingTable(&b, d.scaling)
	}
	return b.Bytes()
}

// command that makes the document again.
func (d *document) command() string {
	var own []string
	part := ""
	for i := 0; i < len(d.args); i++ {
		switch d.args[i] {
		case "-root", "-out":
			i++
		case "-part":
			i++
			part = d.args[i]
		default:
			own = append(own, d.args[i])
		}
	}
	switch {
	case len(own) > 0 && part != "":
		own = append([]string{"-part", part}, own...)
		fallthrough
	case len(own) > 0:
		return fmt.Sprintf("make bench BENCHFLAGS=%q", strings.Join(own, " "))
	case part != "":
		return "make bench PART=" + part
	}
	return "make bench"
}

// spread says how much the rounds differ.
func (d *document) spread() string {
	var all []float64
	for _, b := range d.peers {
		for _, r := range b.rows {
			for m, v := range spreads(r.runs) {
				if m != echoP99 && m != disturbance { // the machine's figure more than the server's
					all = append(all, v)
				}
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(" From the best to the worst round a figure (echo p99 aside) differs by %.0f %% in the median, by %.0f %% at the most.",
		100*median(all), 100*slices.Max(all))
}

// disturbed says what else the machine did.
func (d *document) disturbed() string {
	var all []float64
	for _, b := range d.blocks() {
		for _, r := range b.rows {
			for _, f := range r.runs {
				all = append(all, f[disturbance])
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(" Other processes took %.0f %% of the CPUs in the median measurement, %.0f %% in the worst.", 100*median(all), 100*slices.Max(all))
}

// verdict names the figures in which a peer is better.
func (d *document) verdict() string {
	var total int
	var behind []string
	for _, b := range d.peers {
		ratios := compare(b)
		for _, c := range measured(b) {
			r, ok := ratios[c.metric]
			if !ok {
				continue
			}
			total++
			if !r.first() {
				behind = append(behind, fmt.Sprintf("%s at %s (%.2f of %s)", c.title, b.cell.title(), r.value, r.peer))
			}
		}
	}
	switch {
	case total == 0:
		return ""
	case len(behind) == 0:
		return fmt.Sprintf("wsnode is first or equal (within %.0f %%) in all %d figures.", 100*(equal-1), total)
	default:
		return fmt.Sprintf("wsnode is first or equal (within %.0f %%) in %d of %d figures. It is not in: %s.",
			100*(equal-1), total-len(behind), total, strings.Join(behind, "; "))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
