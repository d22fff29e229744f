package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/figure"
)

// page is the report for people.
func (r *Record) page() string {
	p := &page{}
	held := r.stage(stageHeld)
	p.line("# %s connections on one machine", figure.Count(int64(r.Million.Connections)))
	p.line("")
	p.line("%s, %s. The fleet: %s, %s. [record.json](record.json) has these figures, [report.json](report.json) and "+
		"[report.html](report.html) those of the load generators, [scenario.yaml](scenario.yaml) is what they did. To repeat it: `%s`.",
		r.Began.UTC().Format(time.DateOnly), r.took(), r.Size, r.Edge, r.Command)
	p.line("")
	p.table("figure", "target", "this run")
	load := r.Report
	p.row("connections held, verified by the clients; failed", "1,000,000; 0", figure.Count(load.Connected)+"; "+figure.Count(load.Failed))
	p.row("ramp", "200 s", fmt.Sprintf("%.0f s", r.Ramp.Seconds()))
	p.row("memory of everything, a connection", "21 KiB in layer 7, 19.5 in layer 4", fmt.Sprintf("%.2f KiB", r.perConnection(held)))
	p.row("node side (socket and process), a connection", "4.7 KiB", fmt.Sprintf("%.2f KiB", r.nodeSide(held)))
	p.row("echoed byte for byte", "1,000,000", figure.Count(load.Echo.OK))
	p.row(fmt.Sprintf("closed unexpectedly in the hold of %s", r.Hold), "0", figure.Count(int64(r.ClosedInHold)))
	p.row("pings answered in the hold", "2,000,000", figure.Count(int64(r.PingsInHold)))
	b := load.Broadcast
	p.row("deliveries of broadcasts, in the whole run", "", figure.Count(b.Delivered))
	p.row("lost; doubled; out of order", "0; 0; 0", fmt.Sprintf("%d; %d; %d", b.Lost, b.Duplicated, b.Reordered))
	p.row("broadcast to all, time to the last delivery", "30 s", fmt.Sprintf("%.1f s", r.LastDelivery.Seconds()))
	for _, o := range r.Faults {
		if o.Name == faultNodeKilled {
			p.row("whole again after "+o.Name, "30 s", fmt.Sprintf("%.1f s", o.Whole.Seconds()))
		}
	}
	p.line("")
	for _, picture := range pictures {
		p.line("![%s](%s)", picture.title, picture.file)
	}
	p.line("")
	p.line("The Fleet dashboard over the same time: [%s](%s).", fleetPicture, fleetPicture)
	r.stages(p)
	r.parts(p, held)
	r.faultTable(p)
	p.line("## Took part")
	p.line("")
	p.table("", "")
	for _, v := range r.Versions {
		p.row(v.Name, v.Version)
	}
	return p.String()
}

func (r *Record) stages(p *page) {
	p.line("")
	p.line("## Stages")
	p.line("")
	p.table("after", "at", "connections", "Prometheus", "memory of everything", "a connection")
	for _, s := range r.Stages {
		p.row(s.Name, figure.Clock(s.At.Seconds()), figure.Count(int64(s.Load)), figure.Count(int64(s.Prometheus)),
			fmt.Sprintf("%.2f GiB", gib(s.Memory.Used)), fmt.Sprintf("%.2f KiB", r.perConnection(s)))
	}
	p.line("")
	p.line("Memory is MemTotal − MemFree − page cache, after what can be dropped was dropped, beyond the same before the lab was started "+
		"(%.2f GiB). It was %.2f GiB with the fleet up and no connection, and %.2f GiB when all was gone.",
		gib(r.Empty.Used), gib(r.Idle.Used), gib(r.After.Used))
	p.line("")
}

// parts says who has the memory.
func (r *Record) parts(p *page, s Stage) {
	p.line("## Memory, %s", s.Name)
	p.line("")
	p.table("part", "in all", "a connection")
	row := func(name string, bytes int64) {
		p.row(name, figure.Bytes(float64(bytes)), fmt.Sprintf("%.2f KiB", kib(bytes)/max(s.Load, 1)))
	}
	row(fmt.Sprintf("the kernel's objects, %.2f KiB for each of four sockets", r.socketKiB(s)), s.Memory.Slab-r.Empty.Slab)
	names := slices.SortedFunc(maps.Keys(s.Memory.Programs), func(a, b string) int {
		return int(s.Memory.Programs[b]>>10 - s.Memory.Programs[a]>>10)
	})
	rest := s.Memory.Used - r.Empty.Used - (s.Memory.Slab - r.Empty.Slab)
	for _, name := range names {
		bytes := s.Memory.Programs[name] - r.Empty.Programs[name]
		rest -= bytes
		if bytes >= 16<<20 {
			row("`"+name+"`", bytes)
		}
	}
	row("tables of pages, stacks, network buffers, temporary files", rest)
	p.line("")
}

func (r *Record) faultTable(p *page) {
	p.line("## Faults, each under full load")
	p.line("")
	p.table("fault", "may cut", "cut", "came back", "whole again after")
	for _, o := range r.Faults {
		p.row(o.Name, figure.Count(int64(o.MayCut)), figure.Count(int64(o.Cut)), figure.Count(int64(o.Back)), fmt.Sprintf("%.1f s", o.Whole.Seconds()))
	}
	p.line("")
}

func (r *Record) took() string {
	return figure.Clock(r.Ended.Sub(r.Began).Seconds()) + " in all"
}

// page writes Markdown.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) table(heads ...string) {
	p.row(heads...)
	p.line("| ---%s |", strings.Repeat(" | ---:", len(heads)-1))
}

func (p *page) row(cells ...string) { p.line("| %s |", strings.Join(cells, " | ")) }
