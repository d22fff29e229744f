package shots

import (
	"fmt"

	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

// legend names the lines of a chart, each with the values that sum it up.
type legend struct {
	headings []string // of the values; only a table shows them
	table    bool
	right    bool // of the chart rather than below it
	entries  []legendEntry
}

type legendEntry struct {
	name, color string
	values      []string
}

const (
	legendSize   = 12.0
	legendRow    = 19.0
	legendSwatch = 18.0 // the dash before the name
	legendGap    = 18.0 // between two entries
	legendPad    = 8.0
)

// fitted is a legend laid out in a rectangle.
type fitted struct {
	width, height float64
	draw          func(c *svg.Canvas, x, y float64)
}

// fit lays a legend out. What does not fit is counted instead of shown.
func (l *legend) fit(width, height float64) fitted {
	if len(l.entries) == 0 {
		return fitted{draw: func(*svg.Canvas, float64, float64) {}}
	}
	if l.table {
		return l.fitTable(width, height)
	}
	return l.fitList(width, height)
}

type item struct {
	entry       legendEntry
	x, y, width float64
}

// fitList sets the entries like words in lines.
func (l *legend) fitList(width, height float64) fitted {
	rows := max(1, int(height/legendRow))
	var items []item
	x, row := 0.0, 0
	for _, e := range l.entries {
		values := 0.0
		for _, v := range e.values {
			values += 6 + svg.Width(v, legendSize)
		}
		e.name = svg.Fit(e.name, legendSize, width-legendSwatch-values)
		w := legendSwatch + svg.Width(e.name, legendSize) + values
		if x > 0 && (x+w > width || l.right) {
			x, row = 0, row+1
		}
		items = append(items, item{e, x, float64(row) * legendRow, w})
		x += w + legendGap
	}
	// The last line must have room for the number of those left out.
	shown := len(items)
	for shown > 0 && items[shown-1].y >= float64(rows)*legendRow {
		shown--
	}
	more := ""
	for shown < len(items) {
		more = moreText(len(items) - shown)
		if shown == 0 {
			break
		}
		if last := items[shown-1]; last.y < float64(rows-1)*legendRow || (!l.right && last.x+last.width+legendGap+svg.Width(more, legendSize) <= width) {
			break
		}
		shown--
	}
	if shown > 0 {
		row = int(items[shown-1].y / legendRow)
	}
	moreX, moreY := 0.0, 0.0
	if more != "" && shown > 0 {
		last := items[shown-1]
		moreX, moreY = last.x+last.width+legendGap, last.y
		if l.right || moreX+svg.Width(more, legendSize) > width {
			moreX, moreY, row = 0, last.y+legendRow, row+1
		}
	}
	return fitted{width: width, height: float64(row+1) * legendRow, draw: func(c *svg.Canvas, x, y float64) {
		for _, i := range items[:shown] {
			swatch(c, x+i.x, y+i.y, i.entry.color)
			at := x + i.x + legendSwatch
			c.Text(at, y+i.y+13, i.entry.name, legendSize, colorText, svg.Start, svg.A("class", "name"))
			at += svg.Width(i.entry.name, legendSize)
			for _, v := range i.entry.values {
				c.Text(at+6, y+i.y+13, v, legendSize, colorStrong, svg.Start, svg.A("class", "value"))
				at += 6 + svg.Width(v, legendSize)
			}
		}
		if more != "" {
			c.Text(x+moreX, y+moreY+13, more, legendSize, colorAxis, svg.Start)
		}
	}}
}

func moreText(n int) string { return fmt.Sprintf("+ %d more", n) }

func swatch(c *svg.Canvas, x, y float64, color string) {
	c.Rect(x, y+7, 12, 4, color, svg.N("rx", 2))
}

// fitTable sets one line for each entry, values in columns.
func (l *legend) fitTable(width, height float64) fitted {
	columns := make([]float64, len(l.headings))
	sum := 0.0
	for i, h := range l.headings {
		columns[i] = svg.Width(h, legendSize)
		for _, e := range l.entries {
			columns[i] = max(columns[i], svg.Width(e.values[i], legendSize))
		}
		columns[i] += 16
		sum += columns[i]
	}
	rows := max(1, int(height/legendRow)-1)
	shown, more := l.entries, ""
	if len(shown) > rows {
		shown = shown[:max(rows-1, 0)]
		more = moreText(len(l.entries) - len(shown))
	}
	lines := 1 + len(shown)
	if more != "" {
		lines++
	}
	return fitted{width: width, height: float64(lines) * legendRow, draw: func(c *svg.Canvas, x, y float64) {
		cells := func(values []string, y float64, color string) {
			at := x + width
			for i := len(columns) - 1; i >= 0; i-- {
				c.Text(at, y+13, values[i], legendSize, color, svg.End, svg.A("class", "value"))
				at -= columns[i]
			}
		}
		cells(l.headings, y, colorAxis)
		for i, e := range shown {
			top := y + float64(i+1)*legendRow
			swatch(c, x, top, e.color)
			c.Text(x+legendSwatch, top+13, svg.Fit(e.name, legendSize, width-sum-legendSwatch), legendSize, colorText, svg.Start, svg.A("class", "name"))
			cells(e.values, top, colorStrong)
		}
		if more != "" {
			c.Text(x, y+float64(lines-1)*legendRow+13, more, legendSize, colorAxis, svg.Start)
		}
	}}
}
