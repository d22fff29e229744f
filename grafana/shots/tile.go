package shots

import (
	"fmt"
	"math"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// reduceOptions say which number of a series stands for it.
type reduceOptions struct {
	Calcs  []string
	Values bool
}

// tile is one number, of one series.
type tile struct {
	series *series
	value  float64
	shown  shown
}

// tiles makes one number of each series.
func tiles(o reduceOptions, all []*series) ([]tile, error) {
	if o.Values {
		return nil, fmt.Errorf("options.reduceOptions.values: every value on its own is not drawn")
	}
	calc := "lastNotNull"
	if len(o.Calcs) > 0 {
		calc = o.Calcs[0]
	}
	var found []tile
	for _, s := range all {
		v, err := reduce(s.values, calc)
		if err != nil {
			return nil, err
		}
		t := tile{series: s, value: v, shown: s.field.show(v)}
		if t.shown.color == "" || s.field.Color.Mode == "palette-classic" || s.field.Color.Mode == "palette-classic-by-name" {
			t.shown.color = s.color
		}
		found = append(found, t)
	}
	return found, nil
}

// describeTiles is the tiles in words.
func describeTiles(title string, found []tile) string {
	var entries []legendEntry
	for _, t := range found {
		e := legendEntry{values: []string{t.shown.String()}}
		if len(found) > 1 {
			e.name = t.series.name
		}
		entries = append(entries, e)
	}
	return describe(title, entries)
}

// arrange divides a rectangle among n tiles so that they come nearest to a shape, given as width by height.
func arrange(n int, width, height, shape float64) (columns, rows int) {
	best := math.Inf(1)
	for c := 1; c <= n; c++ {
		r := (n + c - 1) / c
		got := (width / float64(c)) / (height / float64(r))
		if off := math.Abs(math.Log(got/shape)) + float64(c*r-n)/float64(n); off < best {
			best, columns, rows = off, c, r
		}
	}
	return columns, rows
}

// numberSize is the largest in which every number fits into a rectangle, so that they look alike, but not above most.
func numberSize(found []tile, width, height, most float64) float64 {
	size := min(most, height*0.9)
	for _, t := range found {
		if w := t.shown.width(size); w > width*0.94 {
			size *= width * 0.94 / w
		}
	}
	return size
}

// medium is how much wider text becomes by a font-weight of 500, at most.
const medium = 1.06

func (s shown) width(size float64) float64 {
	return medium * (svg.Width(s.number, size) + svg.Width(s.suffix, size*0.6))
}

// drawOn writes a value around a point, its unit smaller.
func (s shown) drawOn(c *svg.Canvas, cx, cy, size float64, color string) {
	left, baseline := cx-s.width(size)/2, cy+size*0.36
	c.Text(left, baseline, s.number, size, color, svg.Start, svg.A("font-weight", "500"), svg.A("class", "number"))
	if s.suffix != "" {
		c.Text(left+medium*svg.Width(s.number, size), baseline, s.suffix, size*0.6, color, svg.Start, svg.A("font-weight", "500"),
			svg.A("class", "unit"), svg.A("xml:space", "preserve"))
	}
}
