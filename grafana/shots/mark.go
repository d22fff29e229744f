package shots

import (
	"cmp"
	"slices"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// mark is an annotation as a chart draws it: a line through the chart and a flag above it.
type mark struct {
	time time.Time
	flag string
	text string // shown when pointed at
	row  int
	left float64
}

const (
	flagHeight = 16.0
	flagSize   = 11.0
)

// flagWidth is that of the box around its text.
func (m *mark) flagWidth() float64 { return svg.Width(m.flag, flagSize) + 10 }

// placeMarks gives each flag a row in which it covers no other, and returns how many rows that takes.
func placeMarks(marks []mark, t *timeAxis) (visible []mark, rows int) {
	for _, m := range marks {
		if !m.time.Before(t.start) && !m.time.After(t.end) {
			visible = append(visible, m)
		}
	}
	slices.SortStableFunc(visible, func(a, b mark) int { return cmp.Or(a.time.Compare(b.time)) })
	var ends []float64 // of the last flag of each row
	for i := range visible {
		m := &visible[i]
		m.flag = svg.Fit(m.flag, flagSize, t.right-t.left-10)
		width := m.flagWidth()
		m.left = max(min(t.x(m.time)-width/2, t.right-width), t.left)
		for m.row = 0; m.row < len(ends) && ends[m.row] > m.left-4; {
			m.row++
		}
		if m.row == len(ends) {
			ends = append(ends, 0)
		}
		ends[m.row] = m.left + width
	}
	return visible, len(ends)
}

func (m *mark) drawOn(c *svg.Canvas, t *timeAxis, top, below float64) {
	x, y := t.x(m.time), top+float64(m.row)*flagHeight
	c.Line(x, y+flagHeight-2, x, below, colorMark, svg.A("stroke-dasharray", "3 3"), svg.A("stroke-opacity", "0.8"))
	c.Titled(m.text, "rect", svg.N("x", m.left), svg.N("y", y), svg.N("width", m.flagWidth()), svg.N("height", flagHeight-2),
		svg.N("rx", 3), svg.A("fill", "#23303f"))
	c.Text(m.left+m.flagWidth()/2, y+10.5, m.flag, flagSize, colorMark, svg.Middle, svg.A("class", "flag"))
}
