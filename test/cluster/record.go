package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Write puts the record into the folder of the report: as JSON, and as a page with the table.
func (r *Record) Write(f *Fleet) error {
	if err := os.MkdirAll(r.Files, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Files, "record.json"), raw, 0o644); err != nil {
		return err
	}
	page := filepath.Join(r.Files, "README.md")
	f.say("the report: %s", page)
	return os.WriteFile(page, []byte(r.page()), 0o644)
}

// perConnection is what a connection takes of this machine's memory at a stage, in KiB, all parts counted.
func (r *Record) perConnection(s Stage) float64 {
	return float64(s.Memory-r.Empty) / max(s.Load, 1) / 1024
}

func (r *Record) page() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %d connections on one machine", r.Million.Connections)
	line("")
	line("%s; the fleet: %s, %s. `make million` repeats it; [record.json](record.json) has these figures, "+
		"[report.json](report.json) and [report.html](report.html) the load generator's.", r.Began.Format(time.DateOnly), r.Size, r.Edge)
	line("")
	line("| figure | |")
	line("| --- | ---: |")
	line("| connected, of %d planned; failed | %d; %d |", r.Million.Connections, r.Report.Connected, r.Report.Failed)
	line("| ramp | %.0f s |", r.Ramp.Seconds())
	line("| echoed byte for byte | %d |", r.Report.Echo.OK)
	line("| closed in the hold of %s; pings answered in it | %d; %d |", r.Hold, r.ClosedInHold, r.PingsInHold)
	line("| deliveries; lost; doubled; out of order | %d; %d; %d; %d |", r.Report.Broadcast.Delivered, r.Report.Broadcast.Lost,
		r.Report.Broadcast.Duplicated, r.Report.Broadcast.Reordered)
	line("| time to the last delivery of a broadcast | %.1f s |", r.Report.Broadcast.Max)
	line("")
	line("| stage | at | connections | Prometheus | memory of everything | a connection |")
	line("| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, s := range r.Stages {
		line("| %s | %.0f s | %.0f | %.0f | %.2f GiB | %.2f KiB |", s.Name, s.At.Seconds(), s.Load, s.Prometheus, gib(s.Memory), r.perConnection(s))
	}
	line("")
	line("Memory is MemTotal − MemFree − page cache, beyond the same before the lab was started (%.2f GiB); %.2f GiB with the fleet up and no connection, %.2f GiB when all was gone.",
		gib(r.Empty), gib(r.Idle), gib(r.After))
	line("")
	line("| fault, under full load | may cut | cut | came back | whole again after |")
	line("| --- | ---: | ---: | ---: | ---: |")
	for _, o := range r.Faults {
		line("| %s | %d | %d | %d | %.1f s |", o.Name, o.MayCut, o.Cut, o.Back, o.Whole.Seconds())
	}
	return b.String()
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }
