package shots

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// line is a series as a chart draws it.
type line struct {
	name, color string
	times       []time.Time
	values      []float64 // as drawn: for a stack the sums
	base        []float64 // what a stacked line stands on; nil: zero
	axis        *axis
	style       lineStyle
}

type lineStyle struct {
	width    float64
	fill     float64 // opacity of the area below, 0 to 1
	dashed   bool
	draw     string // Grafana's: line, bars, points
	steps    string // Grafana's: stepBefore, stepAfter, else straight
	connect  bool   // across gaps
	points   bool   // mark every sample
	interval time.Duration
}

type point struct{ x, y, base float64 }

// points of the line in runs without a gap.
func (l *line) runs(t *timeAxis) [][]point {
	var runs [][]point
	open := false
	for i, v := range l.values {
		if !isNumber(v) {
			open = open && l.style.connect
			continue
		}
		p := point{t.x(l.times[i]), l.axis.y(v), l.axis.zero()}
		if l.base != nil {
			p.base = l.axis.y(l.base[i])
		}
		if !open {
			runs, open = append(runs, nil), true
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], p)
	}
	return runs
}

func (l *line) drawOn(c *svg.Canvas, t *timeAxis) {
	switch l.style.draw {
	case "bars":
		l.bars(c, t)
		return
	case "points":
		for _, run := range l.runs(t) {
			l.dots(c, run)
		}
		return
	}
	var stroke, area strings.Builder
	for _, run := range l.runs(t) {
		if len(run) == 1 || l.style.points {
			l.dots(c, run) // a line of one sample has no length
		}
		if len(run) == 1 {
			continue
		}
		top := trace(run, l.style.steps, func(p point) float64 { return p.y })
		stroke.WriteString("M" + top)
		if l.style.fill > 0 {
			back := make([]point, len(run))
			for i, p := range run {
				back[len(run)-1-i] = p
			}
			area.WriteString("M" + top + "L" + trace(back, mirrored[l.style.steps], func(p point) float64 { return p.base }) + "Z")
		}
	}
	if area.Len() > 0 {
		c.Element("path", svg.A("d", area.String()), svg.A("fill", l.color), svg.A("fill-opacity", opacity(l.style.fill)))
	}
	if stroke.Len() > 0 {
		attrs := []svg.Attr{svg.A("d", stroke.String()), svg.A("fill", "none"), svg.A("stroke", l.color),
			svg.N("stroke-width", l.style.width), svg.A("stroke-linejoin", "round"), svg.A("class", "line")}
		if l.style.dashed {
			attrs = append(attrs, svg.A("stroke-dasharray", "6 4"))
		}
		c.Titled(l.name, "path", attrs...)
	}
}

var mirrored = map[string]string{"stepBefore": "stepAfter", "stepAfter": "stepBefore"}

func opacity(share float64) string { return strconv.FormatFloat(share, 'g', 2, 64) }

// trace is a path through the points. Points that lie on a level line add nothing and are left out.
func trace(run []point, steps string, y func(point) float64) string {
	var b strings.Builder
	place := func(x, y float64) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(svg.Number(x) + "," + svg.Number(y))
	}
	for i, p := range run {
		if i > 0 && i < len(run)-1 && svg.Number(y(run[i-1])) == svg.Number(y(p)) && svg.Number(y(run[i+1])) == svg.Number(y(p)) {
			continue
		}
		switch {
		case i > 0 && steps == "stepAfter":
			place(p.x, y(run[i-1]))
		case i > 0 && steps == "stepBefore":
			place(run[i-1].x, y(p))
		}
		place(p.x, y(p))
	}
	return b.String()
}

func (l *line) dots(c *svg.Canvas, run []point) {
	for _, p := range run {
		c.Titled(l.name, "circle", svg.N("cx", p.x), svg.N("cy", p.y), svg.N("r", 2.4), svg.A("fill", l.color), svg.A("class", "dot"))
	}
}

func (l *line) bars(c *svg.Canvas, t *timeAxis) {
	width := 4.0
	if l.style.interval > 0 {
		width = max(1, (t.x(t.start.Add(l.style.interval))-t.left)*0.8)
	}
	for _, run := range l.runs(t) {
		for _, p := range run {
			c.Rect(p.x-width/2, min(p.y, p.base), width, math.Abs(p.base-p.y), l.color,
				svg.A("fill-opacity", opacity(max(l.style.fill, 0.5))), svg.A("class", "bar"))
		}
	}
}

// stack puts the lines of a group on top of each other; as shares of the whole if percent. All have the same times.
func stack(lines []*line, percent bool) {
	if len(lines) == 0 {
		return
	}
	sums := make([]float64, len(lines[0].values))
	totals := make([]float64, len(sums))
	for _, l := range lines {
		for i, v := range l.values {
			if isNumber(v) {
				totals[i] += v
			}
		}
	}
	for _, l := range lines {
		base, top := make([]float64, len(sums)), make([]float64, len(sums))
		for i, v := range l.values {
			base[i], top[i] = sums[i], math.NaN()
			if !isNumber(v) {
				continue
			}
			if percent && totals[i] != 0 {
				v /= totals[i]
			}
			sums[i] += v
			top[i] = sums[i]
		}
		l.base, l.values = base, top
	}
}
