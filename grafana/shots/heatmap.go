package shots

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

// ramp are the colours of a heatmap's cells from few to many: each lighter than the one before, for those who do not
// see hues, too.
var ramp = [][3]float64{{40, 50, 85}, {58, 82, 139}, {38, 130, 142}, {53, 183, 121}, {170, 220, 50}, {253, 231, 37}}

// rampSteps is how many colours are told apart.
const rampSteps = 24

func rampColor(step int) string {
	at := float64(step) / (rampSteps - 1) * float64(len(ramp)-1)
	i := min(int(at), len(ramp)-2)
	part := func(k int) int { return int(math.Round(ramp[i][k] + (at-float64(i))*(ramp[i+1][k]-ramp[i][k]))) }
	return fmt.Sprintf("#%02x%02x%02x", part(0), part(1), part(2))
}

// bucket is a row of a heatmap.
type bucket struct {
	name   string
	bound  float64 // the upper one
	counts []float64
}

// buckets makes rows of series, the lowest first. Those of a histogram count all below their bound; what is in each is
// the difference.
func (d *drawing) buckets(all []*series) ([]bucket, error) {
	var rows []bucket
	histogram := true
	for _, s := range all {
		le, ok := s.labels[model.BucketLabel]
		histogram = histogram && ok
		bound, err := strconv.ParseFloat(cmp.Or(string(le), s.name), 64)
		if err != nil {
			bound = math.NaN()
		}
		if len(s.values) != len(all[0].values) {
			return nil, fmt.Errorf("query %s: its step differs from that of query %s", s.refID, all[0].refID)
		}
		rows = append(rows, bucket{name: s.name, bound: bound, counts: slices.Clone(s.values)})
	}
	slices.SortStableFunc(rows, func(a, b bucket) int { return cmp.Compare(a.bound, b.bound) })
	for i := len(rows) - 1; i > 0 && histogram; i-- {
		if rows[i].bound == rows[i-1].bound {
			return nil, fmt.Errorf("two series with the label le=%q: sum by (le) makes one of them", rows[i].name)
		}
		for k := range rows[i].counts {
			if below := rows[i-1].counts[k]; !math.IsNaN(below) {
				rows[i].counts[k] = max(rows[i].counts[k]-below, 0)
			}
		}
	}
	// Buckets that nothing ever fell into are left out at both ends.
	full := func(b bucket) bool { return slices.ContainsFunc(b.counts, func(v float64) bool { return v > 0 }) }
	for len(rows) > 1 && !full(rows[0]) {
		rows = rows[1:]
	}
	for len(rows) > 1 && !full(rows[len(rows)-1]) {
		rows = rows[:len(rows)-1]
	}
	return rows, nil
}

func (r *renderer) heatmap(d *drawing, all []*series) (template.HTML, error) {
	var options struct {
		Calculate bool
		YAxis     struct {
			Unit     string
			Decimals *int
		}
	}
	if err := d.options(&options); err != nil {
		return "", err
	}
	if options.Calculate {
		return "", fmt.Errorf("options.calculate: buckets are not made of plain series; query a histogram")
	}
	u, err := unit.Lookup(options.YAxis.Unit)
	if err != nil {
		return "", err
	}
	rows, err := d.buckets(all)
	if err != nil {
		return "", err
	}
	label := func(b bucket) string {
		if math.IsNaN(b.bound) {
			return b.name
		}
		return u.Format(b.bound, unit.Auto)
	}
	widest := 0.0
	for _, b := range rows {
		widest = max(widest, svg.Width(label(b), axisSize))
	}
	c := svg.New(d.width, d.height)
	t := &timeAxis{start: r.start, end: r.end, left: min(widest, d.width/3) + 12, right: d.width - 12}
	marks, flags := placeMarks(r.marks, t)
	top, below := 8+float64(flags)*flagHeight, d.height-54
	h := (below - top) / float64(len(rows))
	(&plot{}).times(c, t, d.width, below)
	every := max(1, int(math.Ceil(18/h)))
	for i, b := range rows {
		y := below - float64(i+1)*h
		if i%every != 0 {
			continue
		}
		at := y + h/2 + 4 // a name stands beside its row, a bound at the top of it
		if !math.IsNaN(b.bound) {
			at = max(y, top) + 4
			c.Line(t.left, math.Round(y)+0.5, t.right, math.Round(y)+0.5, colorGrid)
		}
		c.Text(t.left-8, at, svg.Fit(label(b), axisSize, d.width/3), axisSize, colorAxis, svg.End, svg.A("class", "tick"))
	}
	most := 0.0
	for _, b := range rows {
		for _, v := range b.counts {
			if isNumber(v) {
				most = max(most, v)
			}
		}
	}
	c.Clip(d.id+"-clip", t.left, top, t.right-t.left, below-top, func() {
		cells(c, t, all[0], rows, most, below, h)
	})
	for i := range marks {
		marks[i].drawOn(c, t, 2, below)
	}
	f := all[0].field
	scale(c, t.left, d.height-24, min(t.right-t.left, 220), f.show(0).String(), f.show(most).String())
	return template.HTML(c.String(fmt.Sprintf("%s: %d rows up to %s, at most %s in a cell", d.panel.Title, len(rows), label(rows[len(rows)-1]), f.show(most)))), nil
}

// cells draws what is not zero, one path for each colour.
func cells(c *svg.Canvas, t *timeAxis, s *series, rows []bucket, most, below, h float64) {
	paths := make([]strings.Builder, rampSteps)
	for i, b := range rows {
		y := below - float64(i+1)*h
		for k, v := range b.counts {
			if !isNumber(v) || v <= 0 {
				continue
			}
			// The square root tells the few apart, which are most of a histogram's tail.
			step := int(math.Sqrt(v/most) * (rampSteps - 1))
			from, to := max(t.x(s.times[k].Add(-s.step)), t.left), t.x(s.times[k])
			fmt.Fprintf(&paths[step], "M%s %sh%sv%sh%sz", svg.Number(from), svg.Number(y+0.5), svg.Number(to-from-0.4), svg.Number(max(h-1, 0.5)), svg.Number(from-to+0.4))
		}
	}
	for step := range paths {
		if paths[step].Len() > 0 {
			c.Element("path", svg.A("d", paths[step].String()), svg.A("fill", rampColor(step)), svg.A("class", "cells"))
		}
	}
}

// scale explains the colours.
func scale(c *svg.Canvas, x, y, width float64, from, to string) {
	c.Text(x, y+12, from, axisSize, colorAxis, svg.Start)
	left := x + svg.Width(from, axisSize) + 8
	right := x + width - svg.Width(to, axisSize) - 8
	one := (right - left) / rampSteps
	for step := range rampSteps {
		c.Rect(left+float64(step)*one, y+3, one+0.3, 10, rampColor(step))
	}
	c.Text(right+8, y+12, to, axisSize, colorAxis, svg.Start)
}
