package shots

import (
	"math"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// plot is a chart of lines over time, its legend below or beside it.
type plot struct {
	id          string // unique in the page
	start, end  time.Time
	elapsed     bool
	lines       []*line
	left, right *bounds // of the two axes; right may be nil
	leftUnit    string
	onRight     map[*line]bool
	axisLabel   string
	levels      []level
	marks       []mark
	legend      legend
}

// level is a threshold, drawn across the chart.
type level struct {
	value float64
	color string
}

const axisSize = 12.0

// drawOn draws the plot in a rectangle.
func (p *plot) drawOn(c *svg.Canvas, x, y, width, height float64) {
	if p.legend.right {
		l := p.legend.fit(width*0.36, height)
		l.draw(c, x+width-l.width-legendPad, y+4)
		if l.width > 0 {
			width -= l.width + 2*legendPad
		}
	} else {
		l := p.legend.fit(width-2*legendPad, height*0.34)
		l.draw(c, x+legendPad, y+height-l.height)
		height -= l.height + 4
	}

	const bottom = 22
	below := y + height - bottom
	t := &timeAxis{start: p.start, end: p.end, elapsed: p.elapsed}
	var left, right *axis
	var marks []mark
	// The rows of flags depend on the width that the labels leave, the labels on the height that the flags leave.
	for rows := 0; ; {
		top := y + 8 + float64(rows)*flagHeight
		left, t.left, t.right = p.left.axis(top, below), x, x+width-12
		if p.axisLabel != "" {
			t.left += 18
		}
		t.left += labelWidth(left) + 12
		if p.right != nil {
			right = p.right.axis(top, below)
			t.right = x + width - labelWidth(right) - 12
		}
		var needed int
		if marks, needed = placeMarks(p.marks, t); needed <= rows {
			break
		}
		rows = needed
	}
	p.grid(c, t, left, svg.End, true)
	if p.right != nil {
		p.grid(c, t, right, svg.Start, false)
	}
	p.times(c, t, x+width, below)
	if p.axisLabel != "" {
		cx, cy := svg.Number(x+13), svg.Number((left.top+below)/2)
		label := svg.Fit(p.axisLabel, axisSize, below-left.top)
		c.Text(x+13, (left.top+below)/2, label, axisSize, colorAxis, svg.Middle, svg.A("transform", "rotate(-90 "+cx+" "+cy+")"))
	}
	c.Clip(p.id, t.left-1, left.top-2, t.right-t.left+4, below-left.top+3, func() {
		for _, l := range p.levels {
			c.Line(t.left, left.y(l.value), t.right, left.y(l.value), l.color, svg.A("stroke-dasharray", "8 4"), svg.A("stroke-opacity", "0.8"))
		}
		for _, l := range p.lines {
			l.axis = left
			if p.onRight[l] {
				l.axis = right
			}
			l.drawOn(c, t)
		}
	})
	for i := range marks {
		marks[i].drawOn(c, t, y+2, below)
	}
}

// labelWidth is that of the widest label of an axis.
func labelWidth(a *axis) float64 {
	width := 24.0
	for _, t := range a.ticks {
		width = max(width, svg.Width(t.Label, axisSize))
	}
	return width
}

// grid draws the labels of an axis, and its lines.
func (p *plot) grid(c *svg.Canvas, t *timeAxis, a *axis, anchor svg.Anchor, lines bool) {
	at := t.left - 8
	if anchor == svg.Start {
		at = t.right + 8
	}
	for _, tick := range a.ticks {
		y := a.y(tick.Value)
		if lines {
			c.Line(t.left, math.Round(y)+0.5, t.right, math.Round(y)+0.5, colorGrid)
		}
		c.Text(at, y+4, tick.Label, axisSize, colorAxis, anchor, svg.A("class", "tick"))
	}
}

func (p *plot) times(c *svg.Canvas, t *timeAxis, edge, below float64) {
	for _, tick := range t.ticks(axisSize) {
		c.Line(math.Round(tick.x)+0.5, below, math.Round(tick.x)+0.5, below+4, colorGrid)
		half := svg.Width(tick.label, axisSize) / 2
		c.Text(min(tick.x, edge-half-6), below+17, tick.label, axisSize, colorAxis, svg.Middle, svg.A("class", "time"))
	}
}
