package shots

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

type legendOptions struct {
	DisplayMode string
	Placement   string
	ShowLegend  *bool
	Calcs       []string
}

func (r *renderer) timeseries(d *drawing, all []*series) (template.HTML, error) {
	var options struct{ Legend legendOptions }
	if err := d.options(&options); err != nil {
		return "", err
	}
	p := &plot{id: d.id + "-clip", start: r.start, end: r.end, marks: r.marks, onRight: map[*line]bool{}}
	groups := map[string][]*line{} // of lines that are stacked
	percent := map[string]bool{}
	for _, s := range all {
		if s.field.Custom.HideFrom.Viz {
			continue
		}
		l := s.line()
		p.lines = append(p.lines, l)
		p.sideOf(s, l)
		if mode := s.field.Custom.Stacking.Mode; mode != "" && mode != "none" {
			group := fmt.Sprint(mode, p.onRight[l], s.step, len(s.times)) // what has other times cannot be added up
			groups[group] = append(groups[group], l)
			percent[group] = mode == "percent"
		}
	}
	for group, lines := range groups {
		stack(lines, percent[group])
		if u, _ := unit.Lookup("percentunit"); percent[group] {
			p.side(lines[0]).unit = u
		}
	}
	for _, l := range p.lines {
		for i, v := range l.values {
			p.side(l).include(v)
			if l.base != nil && isNumber(v) {
				p.side(l).include(l.base[i])
			}
		}
	}
	if f := all[0].field; f.Custom.ThresholdsStyle.Mode != "" && f.Custom.ThresholdsStyle.Mode != "off" {
		for _, s := range f.Thresholds.Steps {
			if s.Value != nil {
				p.levels = append(p.levels, level{f.thresholdValue(*s.Value), s.Color})
			}
		}
	}
	p.axisLabel = all[0].field.Custom.AxisLabel
	var err error
	if p.legend, err = legendOf(options.Legend, all); err != nil {
		return "", err
	}
	c := svg.New(d.width, d.height)
	p.drawOn(c, 0, 0, d.width, d.height-6)
	return template.HTML(c.String(describe(d.panel.Title, p.legend.entries))), nil
}

// line is the series as it is drawn.
func (s *series) line() *line {
	c := s.field.Custom
	width := 1.0
	if c.LineWidth != nil {
		width = *c.LineWidth
	}
	connect, _ := c.SpanNulls.(bool)
	return &line{name: s.name, color: s.color, times: s.times, values: slices.Clone(s.values), style: lineStyle{
		width: max(width, 1.25), fill: c.FillOpacity / 100, dashed: c.LineStyle.Fill == "dash", draw: c.DrawStyle,
		steps: c.LineInterpolation, connect: connect, points: c.ShowPoints == "always", interval: s.step,
	}}
}

// sideOf gives the line the axis of its unit: the left one, or the right one if it wants that or has another unit.
func (p *plot) sideOf(s *series, l *line) {
	f := s.field
	fresh := func() *bounds {
		return &bounds{unit: f.unit, min: f.Min, max: f.Max, softMin: f.Custom.AxisSoftMin, softMax: f.Custom.AxisSoftMax,
			log: f.Custom.ScaleDistribution.Type == "log", lo: math.Inf(1), hi: math.Inf(-1)}
	}
	if p.left == nil {
		p.left, p.leftUnit = fresh(), f.Unit
	}
	if f.Custom.AxisPlacement == "right" || f.Unit != p.leftUnit {
		p.onRight[l] = true
		if p.right == nil {
			p.right = fresh()
		}
	}
}

func (p *plot) side(l *line) *bounds {
	if p.onRight[l] {
		return p.right
	}
	return p.left
}

// legendOf names the series, with their last value if the panel asks for no other.
func legendOf(options legendOptions, all []*series) (legend, error) {
	l := legend{table: options.DisplayMode == "table", right: options.Placement == "right"}
	if options.DisplayMode == "hidden" || options.ShowLegend != nil && !*options.ShowLegend {
		return l, nil
	}
	calcs := options.Calcs
	if len(calcs) == 0 {
		calcs = []string{"lastNotNull"}
	}
	for _, calc := range calcs {
		l.headings = append(l.headings, calculations[calc].heading)
	}
	for _, s := range all {
		if s.field.Custom.HideFrom.Legend {
			continue
		}
		e := legendEntry{name: s.name, color: s.color}
		for i, calc := range calcs {
			v, err := reduce(s.values, calc)
			if err != nil {
				return l, err
			}
			text := s.field.show(v).String()
			if len(calcs) > 1 && !l.table {
				text = strings.ToLower(l.headings[i]) + " " + text
			}
			e.values = append(e.values, text)
		}
		l.entries = append(l.entries, e)
	}
	return l, nil
}

// describe is a chart in words.
func describe(title string, entries []legendEntry) string {
	var parts []string
	for _, e := range entries {
		parts = append(parts, strings.TrimSpace(e.name+" "+strings.Join(e.values, " ")))
	}
	return title + ": " + strings.Join(parts, ", ")
}
