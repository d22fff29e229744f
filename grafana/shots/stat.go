package shots

import (
	"html/template"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// statSize is the largest that a stat's number gets, so that those of a row look alike.
const statSize = 42.0

func (r *renderer) stat(d *drawing, all []*series) (template.HTML, error) {
	var options struct {
		ReduceOptions                  reduceOptions
		ColorMode, GraphMode, TextMode string
	}
	if err := d.options(&options); err != nil {
		return "", err
	}
	found, err := tiles(options.ReduceOptions, all)
	if err != nil {
		return "", err
	}
	c := svg.New(d.width, d.height)
	columns, rows := arrange(len(found), d.width, d.height, 2)
	w, h := d.width/float64(columns), d.height/float64(rows)
	graph := options.GraphMode != "none" && h >= 50
	named := options.TextMode == "value_and_name" || options.TextMode == "name" || (options.TextMode == "" || options.TextMode == "auto") && len(found) > 1
	room := h // for the number
	if graph {
		room = h * 0.62
	}
	title := 0.0
	if named && room >= 36 {
		title = 18
	}
	size := numberSize(found, w-8, room-title, statSize)
	for i, t := range found {
		x, y := float64(i%columns)*w, float64(i/columns)*h
		color, inset := t.shown.color, 0.0
		switch options.ColorMode {
		case "background", "background_solid":
			c.Rect(x+3, y+3, w-6, h-6, color, svg.A("fill-opacity", "0.28"), svg.N("rx", 3))
			color, inset = colorStrong, 3
		case "none":
			color = colorText
		}
		if graph {
			t.spark(c, x+inset, y+room, w-2*inset, h-room-inset)
		}
		if title > 0 {
			c.Text(x+w/2, y+17, svg.Fit(t.series.name, 13, w-16), 13, colorText, svg.Middle, svg.A("class", "name"))
		}
		if options.TextMode != "name" && options.TextMode != "none" {
			t.shown.drawOn(c, x+w/2, y+(room+title)/2, size, color)
		}
	}
	return template.HTML(c.String(describeTiles(d.panel.Title, found))), nil
}

// spark is the line of the series, without axes.
func (t *tile) spark(c *svg.Canvas, x, y, width, height float64) {
	if len(t.series.times) < 2 {
		return
	}
	b := bounds{unit: t.series.field.unit, lo: t.series.values[0], hi: t.series.values[0], min: t.series.field.Min}
	for _, v := range t.series.values {
		if isNumber(v) && !isNumber(b.lo) {
			b.lo, b.hi = v, v
		}
		b.include(v)
	}
	b.include(b.lo - (b.hi-b.lo)*0.1)
	times := &timeAxis{start: t.series.times[0], end: t.series.times[len(t.series.times)-1], left: x, right: x + width}
	a := &axis{unit: b.unit, lo: b.lo, hi: b.hi, top: y + 3, below: y + height}
	if a.hi <= a.lo { // level: through the middle
		a.lo, a.hi = a.lo-1, a.lo+1
	}
	// It stands on the tile's edge, whatever zero is.
	base := make([]float64, len(t.series.values))
	for i := range base {
		base[i] = a.lo
	}
	l := &line{name: t.series.name, color: t.shown.color, times: t.series.times, values: t.series.values, base: base, axis: a,
		style: lineStyle{width: 1.5, fill: 0.18, connect: true}}
	l.drawOn(c, times)
}
