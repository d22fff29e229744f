package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	nameWidth = 12
	// narrowest is the least width that the view is laid out for, in columns.
	narrowest = 40
	// classesShown is how many classes of failures have room in a line.
	classesShown = 4
)

var (
	bold  = lipgloss.NewStyle().Bold(true)
	soft  = lipgloss.NewStyle().Faint(true)
	blue  = lipgloss.NewStyle().Foreground(lipgloss.Blue)
	green = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
)

// View lays the status out in lines of a terminal so many columns wide.
func View(s Status, width int) string {
	width = max(width, narrowest)
	lines := []string{
		bold.Render("wsload") + "  " + bold.Foreground(lipgloss.Cyan).Render(s.Phase) + "  " + figure.Clock(s.Elapsed.Seconds()),
		connections(s, width),
		row("", ramp(s), failures(s)),
	}
	lines = append(lines, classes(s.Total)...)
	if t := s.Second.Connect; t.Max > 0 {
		lines = append(lines, row("connect", times(t)))
	}
	lines = append(lines, echo(s)...)
	lines = append(lines, broadcast(s)...)
	lines = append(lines, row("generator", figure.Bytes(s.Second.Generator.MemoryBytes), fmt.Sprintf("%.2f cores", s.Second.Generator.CPU)))
	lines = append(lines, servers(s.Second.Nodes)...)
	for i := range lines {
		lines[i] = lipgloss.NewStyle().MaxWidth(width).Render(lines[i])
	}
	return strings.Join(lines, "\n")
}

// row writes a name and what belongs to it; empty parts are left out.
func row(name string, parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return soft.Render(fmt.Sprintf("%-*s", nameWidth, name)) + strings.Join(parts, soft.Render(" · "))
}

func connections(s Status, width int) string {
	text := fmt.Sprintf(" %s of %s", figure.Count(s.Total.Open), figure.Count(s.Planned))
	share := float64(s.Total.Open) / float64(max(s.Planned, 1))
	style := blue
	switch {
	case s.Total.Failed+s.Total.Closed.Sum() > 0:
		style = red
	case share >= 1:
		style = green
	}
	return row("connections", style.Render(bar(share, min(width-nameWidth-len(text), 50)))+text)
}

// bar draws a share of 1, to an eighth of a column.
func bar(share float64, columns int) string {
	columns = max(columns, 5)
	eighths := int(min(max(share, 0), 1)*float64(columns)*8 + 0.5)
	full, rest := eighths/8, eighths%8
	text := strings.Repeat("█", full)
	if rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
		full++
	}
	return text + strings.Repeat("░", columns-full)
}

func ramp(s Status) string {
	if s.Second.Started <= 0 {
		return ""
	}
	return fmt.Sprintf("+%s of %s", figure.Rate(perSecond(s.Second.Connected, s.Second.Interval)), figure.Rate(s.Rate))
}

func failures(s Status) string {
	text := fmt.Sprintf("%s failed · %s closed", figure.Count(s.Total.Failed), figure.Count(s.Total.Closed.Sum()))
	if s.Total.Failed+s.Total.Closed.Sum() > 0 {
		return red.Render(text)
	}
	return text
}

// classes names the most frequent failures.
func classes(c *report.Counts) []string {
	all := maps.Clone(c.Failures)
	if all == nil {
		all = report.Classes{}
	}
	for class, n := range c.Closed {
		all["closed."+class] = n
	}
	if len(all) == 0 {
		return nil
	}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(len(names), classesShown)] {
		parts = append(parts, fmt.Sprintf("%s %s", name, figure.Count(all[name])))
	}
	if more := len(names) - classesShown; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return []string{row("", parts...)}
}

func times(t report.PointTimes) string {
	return fmt.Sprintf("p50 %s  p99 %s  max %s", figure.Seconds(t.P50), figure.Seconds(t.P99), figure.Seconds(t.Max))
}

func echo(s Status) []string {
	e := s.Total.Echo
	if e.Sent == 0 {
		return nil
	}
	parts := []string{fmt.Sprintf("%s of %s right", figure.Count(e.OK), figure.Count(e.Sent))}
	if bad := e.Corrupted + e.Timeout + e.Closed + e.Unexpected; bad > 0 {
		parts = append(parts, red.Render(figure.Count(bad)+" wrong or missing"))
	}
	if t := s.Second.Echo; t.Max > 0 {
		parts = append(parts, figure.Rate(perSecond(t.OK, s.Second.Interval)), times(t.PointTimes))
	}
	return []string{row("echo", parts...)}
}

func broadcast(s Status) []string {
	b := s.Total.Broadcast
	if b.Listeners == 0 {
		return nil
	}
	parts := []string{figure.Count(b.Delivered) + " delivered"}
	if s.Required > 0 {
		parts[0] = fmt.Sprintf("%s of %s delivered", figure.Count(b.Delivered), figure.Count(s.Required))
	}
	if missing := s.Required - b.Delivered; missing > 0 {
		parts = append(parts, figure.Count(missing)+" outstanding")
	}
	if bad := b.Duplicated + b.Reordered + b.Corrupted; bad > 0 {
		parts = append(parts, red.Render(figure.Count(bad)+" wrong"))
	}
	if t := s.Second.Broadcast; t.Max > 0 {
		parts = append(parts, times(t.PointTimes))
	}
	return []string{row("broadcast", parts...)}
}

// servers sums up the nodes that are known.
func servers(nodes []*report.NodeUse) []string {
	if len(nodes) == 0 {
		return nil
	}
	var memory, cpu, connections float64
	known := 0
	for _, n := range nodes {
		if n == nil {
			continue
		}
		known++
		for sum, v := range map[*float64]*float64{&memory: n.MemoryBytes, &cpu: n.CPU, &connections: n.Connections} {
			if v != nil {
				*sum += *v
			}
		}
	}
	parts := []string{figure.Bytes(memory), fmt.Sprintf("%.2f cores", cpu), figure.Count(int64(connections)) + " connections"}
	if known == 0 {
		parts = nil
	}
	if missing := len(nodes) - known; missing > 0 {
		parts = append(parts, red.Render(fmt.Sprintf("no metrics of %d of %d", missing, len(nodes))))
	}
	return []string{row("servers", parts...)}
}
