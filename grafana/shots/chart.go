package shots

import (
	"fmt"
	"math"
	"time"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

// Series is a line of a Chart.
type Series struct {
	Name   string
	Times  []time.Time // ascending
	Values []float64   // one for each time; NaN is a gap
}

// Chart is one chart of lines over time, for reports.
type Chart struct {
	Title       string
	Unit        string // Grafana's name of it
	Series      []Series
	Annotations []Annotation
	Start, End  time.Time // zero: those of the data
	Elapsed     bool      // label times by what has passed since Start
	Min, Max    *float64  // of the axis; nil: of the data
	Fill        float64   // opacity of the area below a line, 0 to 1
	Stack       bool      // lines on top of each other; all have the same times
	// Width and Height in CSS pixels. 0: 960 and 320.
	Width, Height int
}

// SVG draws the chart as a file of its own. An error names the series that cannot be drawn.
func (c Chart) SVG() ([]byte, error) {
	u, err := unit.Lookup(c.Unit)
	if err != nil {
		return nil, fmt.Errorf("chart %q: %w", c.Title, err)
	}
	for _, s := range c.Series {
		if len(s.Times) != len(s.Values) {
			return nil, fmt.Errorf("chart %q, series %q: %d times but %d values", c.Title, s.Name, len(s.Times), len(s.Values))
		}
		if c.Stack && len(s.Times) != len(c.Series[0].Times) {
			return nil, fmt.Errorf("chart %q, series %q: %d values do not stack on %d of %q", c.Title, s.Name, len(s.Times), len(c.Series[0].Times), c.Series[0].Name)
		}
	}
	if c.Width == 0 {
		c.Width = 960
	}
	if c.Height == 0 {
		c.Height = 320
	}
	c.span()
	p := &plot{id: "plot", start: c.Start, end: c.End, elapsed: c.Elapsed,
		left: &bounds{unit: u, min: c.Min, max: c.Max, lo: math.Inf(1), hi: math.Inf(-1)}}
	for i, s := range c.Series {
		l := &line{name: s.Name, color: palette[i%len(palette)], times: s.Times, values: s.Values, style: lineStyle{width: 1.75, fill: c.Fill}}
		p.lines = append(p.lines, l)
		last, _ := reduce(s.Values, "lastNotNull")
		text := "no data"
		if !math.IsNaN(last) {
			text = u.Format(last, unit.Auto)
		}
		p.legend.entries = append(p.legend.entries, legendEntry{s.Name, l.color, []string{text}})
	}
	if c.Stack {
		stack(p.lines, false)
	}
	for _, l := range p.lines {
		for _, v := range l.values {
			p.left.include(v)
		}
	}
	for _, a := range c.Annotations {
		p.marks = append(p.marks, mark{time: a.Time, flag: a.Text, text: a.Text})
	}

	canvas := svg.New(float64(c.Width), float64(c.Height))
	w, h := canvas.Width, canvas.Height
	canvas.Rect(0, 0, w, h, colorPanel, svg.N("rx", 4))
	when := "UTC, " + c.Start.Format(time.DateOnly)
	if c.Elapsed {
		when = "from " + c.Start.Format(time.DateTime) + " UTC"
	}
	canvas.Text(w-16, 26, when, axisSize, colorAxis, svg.End)
	canvas.Text(16, 26, svg.Fit(c.Title, 16, w-48-svg.Width(when, axisSize)), 15, colorStrong, svg.Start, svg.A("font-weight", "500"))
	if p.left.lo > p.left.hi {
		canvas.Text(w/2, h/2+8, "No data", 16, colorAxis, svg.Middle)
	} else {
		p.drawOn(canvas, 8, 40, w-16, h-48)
	}
	return []byte(canvas.String(describe(c.Title, p.legend.entries))), nil
}

// span sets the times that are not given from the data.
func (c *Chart) span() {
	var first, last time.Time
	for _, s := range c.Series {
		for i, t := range s.Times {
			if isNumber(s.Values[i]) && (first.IsZero() || t.Before(first)) {
				first = t
			}
			if isNumber(s.Values[i]) && t.After(last) {
				last = t
			}
		}
	}
	if c.Start.IsZero() {
		c.Start = first
	}
	if c.End.IsZero() {
		c.End = last
	}
	if !c.Start.Before(c.End) { // one moment, or none
		c.Start, c.End = c.Start.Add(-30*time.Second), c.Start.Add(30*time.Second)
	}
	c.Start, c.End = c.Start.UTC(), c.End.UTC()
}
