package shots

import (
	"fmt"
	"html/template"
	"math"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// A gauge is an arc of 240 degrees, open below.
const (
	gaugeFrom = 210.0 // degrees, counted against the clock from the right
	gaugeSpan = 240.0
)

func (r *renderer) gauge(d *drawing, all []*series) (template.HTML, error) {
	var options struct {
		ReduceOptions        reduceOptions
		ShowThresholdMarkers *bool
	}
	if err := d.options(&options); err != nil {
		return "", err
	}
	found, err := tiles(options.ReduceOptions, all)
	if err != nil {
		return "", err
	}
	c := svg.New(d.width, d.height)
	columns, rows := arrange(len(found), d.width, d.height, 1.2)
	w, h := d.width/float64(columns), d.height/float64(rows)
	name := 0.0
	if len(found) > 1 && h > 70 {
		name = 22
	}
	// The arc is one and a half times its radius high.
	radius := min((w-16)/2, (h-8-name)/1.5)
	size := numberSize(found, radius*1.1, radius*0.6, min(statSize, radius*0.5))
	for i, t := range found {
		x, y := float64(i%columns)*w, float64(i/columns)*h+(h-1.5*radius-name)/2
		if name > 0 {
			c.Text(x+w/2, y+1.5*radius+16, svg.Fit(t.series.name, 13, w-12), 13, colorText, svg.Middle, svg.A("class", "name"))
		}
		t.shown.drawOn(c, x+w/2, y+radius, size, t.shown.color)
		t.arc(c, x+w/2, y, radius, options.ShowThresholdMarkers == nil || *options.ShowThresholdMarkers)
	}
	return template.HTML(c.String(describeTiles(d.panel.Title, found))), nil
}

// arc draws the gauge of a radius with its top at y.
func (t *tile) arc(c *svg.Canvas, cx, y, radius float64, markers bool) {
	f := t.series.field
	lo, hi := f.limits(nil)
	share := func(v float64) float64 { return min(max((v-lo)/(hi-lo), 0), 1) }
	cy, thick := y+radius, radius*0.22
	ring := radius - 6 - thick/2
	stroke(c, cx, cy, ring, 0, 1, thick, colorGrid, "track")
	if s := share(t.value); s > 0 {
		stroke(c, cx, cy, ring, 0, s, thick, t.shown.color, "filled")
	}
	if steps := f.Thresholds.Steps; markers {
		for i, step := range steps {
			from, to := 0.0, 1.0
			if step.Value != nil {
				from = share(f.thresholdValue(*step.Value))
			}
			if i+1 < len(steps) && steps[i+1].Value != nil {
				to = share(f.thresholdValue(*steps[i+1].Value))
			}
			if to > from {
				stroke(c, cx, cy, radius-1.5, from, to, 3, step.Color, "threshold")
			}
		}
	}
}

// stroke draws the part of the arc between two shares of it.
func stroke(c *svg.Canvas, cx, cy, radius, from, to, width float64, color, class string) {
	at := func(share float64) string {
		rad := (gaugeFrom - share*gaugeSpan) * math.Pi / 180
		return svg.Number(cx+radius*math.Cos(rad)) + " " + svg.Number(cy-radius*math.Sin(rad))
	}
	large := 0
	if (to-from)*gaugeSpan > 180 {
		large = 1
	}
	path := fmt.Sprintf("M%s A%s %s 0 %d 1 %s", at(from), svg.Number(radius), svg.Number(radius), large, at(to))
	c.Element("path", svg.A("d", path), svg.A("fill", "none"), svg.A("stroke", color), svg.N("stroke-width", width), svg.A("class", class))
}
