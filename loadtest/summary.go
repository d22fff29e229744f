//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// writeSummary prints the report for people.
func writeSummary(out io.Writer, r *report.Report, verbose bool) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if r.Scenario != "" {
		fmt.Fprintf(w, "\nscenario\t%s", r.Scenario)
	}
	fmt.Fprintf(w, "\nrun\t%s, %.1fs, %d worker(s), seed %d\n", r.Run, r.Duration, r.Workers, r.Seed)
	for _, a := range r.Agents {
		fmt.Fprintf(w, "agent\t%s: %d worker(s), %d connections, clock %+.6fs ± %.6fs", a.Address, a.Workers, a.Planned, a.ClockAhead, a.RoundTrip/2)
		if a.Lost != "" {
			fmt.Fprintf(w, ", LOST: %s", a.Lost)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "connections\t%d of %d connected, %d failed, %d closed unexpectedly, %d held to the end\n",
		r.Connected, r.Planned, r.Failed, r.ClosedUnexpected, r.Held)
	fmt.Fprintf(w, "connect\t%s, %s\n", rates(r.Connect.Rates), times(r.Connect.Percentiles))
	fmt.Fprintf(w, "handshake\t%s\n", times(r.Handshake))
	if e := r.Echo; e.Sent > 0 {
		fmt.Fprintf(w, "echo\t%d of %d right, %d corrupted, %d timed out, %d closed, %d unexpected\n",
			e.OK, e.Sent, e.Corrupted, e.Timeout, e.EchoCounts.Closed, e.Unexpected)
		if e.Skipped > 0 {
			fmt.Fprintf(w, "\t%d more not sent: their connection was not open\n", e.Skipped)
		}
		fmt.Fprintf(w, "\t%s, %s\n", rates(e.Rates), times(e.Percentiles))
		fmt.Fprintf(w, "\tcounted from the sending, as a closed loop does: %s\n", times(e.Service))
	}
	if b := r.Broadcast; b.Listeners > 0 {
		fmt.Fprintf(w, "broadcast\t%d published to %d connections: %d of %d delivered\n", b.Published, b.Listeners, b.Delivered, b.Expected)
		fmt.Fprintf(w, "\t%d lost, %d late, %d duplicated, %d reordered, %d corrupted, %d misrouted\n",
			b.Lost, b.Late, b.Duplicated, b.Reordered, b.BroadcastCounts.Corrupted, b.Misrouted)
		if b.MissedAway+b.LostClosed > 0 {
			fmt.Fprintf(w, "\tof those lost: %d while the connection was away, %d on connections that had ended\n", b.MissedAway, b.LostClosed)
		}
		if b.Recovered > 0 {
			fmt.Fprintf(w, "\tof those delivered: %d that were published while the connection was away\n", b.Recovered)
		}
		if b.PublishFailed > 0 {
			fmt.Fprintf(w, "\t%d could not be published\n", b.PublishFailed)
		}
		fmt.Fprintf(w, "\t%s, %s\n", rates(b.Rates), times(b.Percentiles))
	}
	if c := r.Reconnect; c.Cut > 0 {
		fmt.Fprintf(w, "reconnect\t%d of %d came back, %d gave up, %d failed attempts\n", c.OK, c.Cut, c.GivenUp, c.FailedAttempts)
		fmt.Fprintf(w, "\tfrom the cut: %s\n", times(c.Percentiles))
	}
	if s := r.Resume; s != (report.ResumeCounts{}) {
		fmt.Fprintf(w, "resume\t%d of %d recovered, %d too old, %d unanswered\n", s.Recovered, s.Asked, s.TooOld, s.Unanswered)
		fmt.Fprintf(w, "\t%d messages said to be lost, %d gaps of unknown size, %d skipped without a word, %d repeated, %d contradictions, %d changes of epoch\n",
			s.LostTold, s.GapsUnknown, s.Skipped, s.Repeated, s.Inconsistent, s.Epochs)
	}
	if r.Stall.Stalled > 0 {
		fmt.Fprintf(w, "stall\t%d stopped reading, %d of them closed by the server\n", r.Stall.Stalled, r.Stall.Closed)
	}
	fmt.Fprintf(w, "generator\t%.1f MiB, %.2f KiB a client, %.1fs CPU\n",
		float64(r.Generator.HeldBytes)/(1<<20), r.Generator.BytesPerClient/(1<<10), r.Generator.CPUSeconds)
	writeClasses(w, "failed", r.Failures)
	writeClasses(w, "closed", r.Closed)
	writeClasses(w, "close failed", r.CloseFailures)
	writeClasses(w, "reconnect failed", r.ReconnectFailures)
	writeClasses(w, "stalled closed", r.StallClosed)
	if r.Foreign > 0 {
		fmt.Fprintf(w, "foreign\t%d messages that are not of this run\n", r.Foreign)
	}
	if verbose {
		for _, s := range r.Samples {
			fmt.Fprintf(w, "%s\t%s\n", s.Class, sampleText(s))
		}
	}
	met := 0
	for _, o := range r.Expectations {
		if o.OK {
			met++
		}
	}
	fmt.Fprintf(w, "expectations\t%d of %d met\n", met, len(r.Expectations))
	for _, o := range r.Expectations {
		switch {
		case !o.OK:
			fmt.Fprintf(w, "FAILED\t%s: it is %s\n", o.Text, figure.Number(o.Value))
		case verbose:
			fmt.Fprintf(w, "met\t%s: it is %s\n", o.Text, figure.Number(o.Value))
		}
	}
	_ = w.Flush() // to a terminal: nobody could be told
}

func rates(r report.Rates) string {
	if r.IntendedRate == 0 {
		return "one start"
	}
	text := fmt.Sprintf("%.1f/s intended, %.1f/s actual", r.IntendedRate, r.ActualRate)
	if r.Behind {
		text += fmt.Sprintf(" (generator fell behind by up to %s, busy %.0f %% of the time)", figure.Seconds(r.WorstLag), 100*r.Busy)
	}
	return text
}

func times(p report.Percentiles) string {
	if p.Count == 0 {
		return "no times"
	}
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, p99.5 %s, max %s", figure.Seconds(p.P50), figure.Seconds(p.P90), figure.Seconds(p.P99), figure.Seconds(p.P995), figure.Seconds(p.Max))
}

func writeClasses(w io.Writer, title string, classes report.Classes) {
	if len(classes) == 0 {
		return
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		parts = append(parts, fmt.Sprintf("%s %d", class, classes[class]))
	}
	fmt.Fprintf(w, "%s\t%s\n", title, strings.Join(parts, ", "))
}

func sampleText(s report.Sample) string {
	if s.Connection < 0 {
		return s.Error
	}
	return fmt.Sprintf("connection %d to %s: %s", s.Connection, s.Target, s.Error)
}
