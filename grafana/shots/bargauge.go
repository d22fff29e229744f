package shots

import (
	"html/template"
	"slices"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

func (r *renderer) bargauge(d *drawing, all []*series) (template.HTML, error) {
	var options struct {
		ReduceOptions reduceOptions
		Orientation   string
	}
	if err := d.options(&options); err != nil {
		return "", err
	}
	found, err := tiles(options.ReduceOptions, all)
	if err != nil {
		return "", err
	}
	values := make([]float64, len(found))
	for i, t := range found {
		values[i] = t.value
	}
	c := svg.New(d.width, d.height)
	if options.Orientation == "vertical" {
		uprightBars(c, found, values)
	} else {
		lyingBars(c, found, values)
	}
	return template.HTML(c.String(describeTiles(d.panel.Title, found))), nil
}

// share is how much of a bar is filled.
func (t *tile) share(values []float64) float64 {
	lo, hi := t.series.field.limits(values)
	return min(max((t.value-lo)/(hi-lo), 0), 1)
}

const barSize = 13.0

// lyingBars draws one below the other: name, bar, value.
func lyingBars(c *svg.Canvas, found []tile, values []float64) {
	const least, most = 22.0, 44.0
	shown := found
	if room := int((c.Height - 8) / least); len(shown) > room {
		shown = shown[:max(room-1, 0)]
	}
	names, numbers := 0.0, 0.0
	for _, t := range shown {
		names = max(names, svg.Width(t.series.name, barSize))
		numbers = max(numbers, svg.Width(t.shown.String(), barSize)*1.06)
	}
	names = min(names, c.Width*0.4)
	rows := len(shown)
	if len(found) > len(shown) {
		rows++
	}
	h := min((c.Height-8)/float64(max(rows, 1)), most)
	left, right := 12+names+10, c.Width-12-numbers-10
	y := (c.Height - h*float64(rows)) / 2
	for _, t := range shown {
		middle := y + h/2
		c.Text(12+names, middle+4.5, svg.Fit(t.series.name, barSize, names), barSize, colorText, svg.End, svg.A("class", "name"))
		thick := min(h*0.7, 20)
		c.Rect(left, middle-thick/2, right-left, thick, colorGrid, svg.N("rx", 2))
		c.Rect(left, middle-thick/2, (right-left)*t.share(values), thick, t.shown.color, svg.N("rx", 2), svg.A("class", "bar"))
		c.Text(c.Width-12, middle+4.5, t.shown.String(), barSize, t.shown.color, svg.End, svg.A("class", "number"), svg.A("font-weight", "500"))
		y += h
	}
	if n := len(found) - len(shown); n > 0 {
		c.Text(left, y+h/2+4.5, moreText(n), barSize, colorAxis, svg.Start)
	}
}

// uprightBars draws one beside the other: value, bar, name.
func uprightBars(c *svg.Canvas, found []tile, values []float64) {
	widest := slices.MaxFunc(found, func(a, b tile) int {
		return int(svg.Width(a.shown.String(), barSize) - svg.Width(b.shown.String(), barSize))
	})
	least := svg.Width(widest.shown.String(), barSize)*1.06 + 8
	shown := found
	if room := int((c.Width - 16) / least); len(shown) > room {
		shown = shown[:max(room-1, 0)]
	}
	columns := len(shown)
	if len(found) > len(shown) {
		columns++
	}
	w := (c.Width - 16) / float64(max(columns, 1))
	top, below := 24.0, c.Height-28
	for i, t := range shown {
		middle := 8 + (float64(i)+0.5)*w
		thick, height := min(w*0.7, 60), (below-top)*t.share(values)
		c.Text(middle, top-8, t.shown.String(), barSize, t.shown.color, svg.Middle, svg.A("class", "number"), svg.A("font-weight", "500"))
		c.Rect(middle-thick/2, top, thick, below-top, colorGrid, svg.N("rx", 2))
		c.Rect(middle-thick/2, below-height, thick, height, t.shown.color, svg.N("rx", 2), svg.A("class", "bar"))
		c.Text(middle, below+17, svg.Fit(t.series.name, barSize, w-6), barSize, colorText, svg.Middle, svg.A("class", "name"))
	}
	if n := len(found) - len(shown); n > 0 {
		c.Text(8+(float64(columns)-0.5)*w, (top+below)/2, svg.Fit(moreText(n), barSize, w), barSize, colorAxis, svg.Middle)
	}
}
