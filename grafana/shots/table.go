package shots

import (
	"bytes"
	"cmp"
	"html/template"
	"math"
	"strings"
)

// grid is a table in the making: labels first, then one column for each query.
type grid struct {
	columns []column
	rows    [][]cell
}

type column struct {
	source string // Grafana's name, which transformations and overrides speak of
	name   string // what is written
	number bool
}

type cell struct {
	text  string
	value float64 // NaN if it is text
	label bool
	color string
	fill  bool // the colour is that of the background
}

const (
	tableRow  = 28.0
	tableHead = 28.0
)

func (r *renderer) table(d *drawing, all []*series) (template.HTML, error) {
	g := join(all, len(d.panel.Targets))
	if err := g.transform(d.panel.Transformations); err != nil {
		return "", err
	}
	var options struct {
		SortBy []struct {
			DisplayName string
			Desc        bool
		}
	}
	if err := d.options(&options); err != nil {
		return "", err
	}
	for _, s := range options.SortBy {
		if err := g.sort(s.DisplayName, s.Desc); err != nil {
			return "", err
		}
	}
	if err := g.show(&d.panel.FieldConfig); err != nil {
		return "", err
	}
	shown, more := g.rows, ""
	if room := int((d.height - tableHead - 4) / tableRow); len(shown) > room {
		shown = shown[:max(room-1, 0)]
		more = moreText(len(g.rows) - len(shown))
	}
	var b bytes.Buffer
	err := tableTemplate.Execute(&b, map[string]any{"Columns": g.columns, "Rows": shown, "More": more})
	return template.HTML(b.String()), err
}

var tableTemplate = template.Must(template.New("table").Funcs(template.FuncMap{
	"style": func(c cell) template.CSS {
		switch {
		case c.color == "":
			return ""
		case c.fill:
			return template.CSS("background: color-mix(in srgb, " + c.color + " 30%, transparent)")
		}
		return template.CSS("color: " + c.color)
	},
	"text":   func(c cell) string { return c.text },
	"name":   func(c column) string { return c.name },
	"number": func(c column) bool { return c.number },
}).Parse(`<table><thead><tr>{{range .Columns}}<th scope="col"{{if number .}} class="number"{{end}}>{{name .}}</th>{{end}}</tr></thead>
<tbody>{{$columns := .Columns}}{{range .Rows}}<tr>{{range $i, $c := .}}<td{{if number (index $columns $i)}} class="number"{{end}}{{with style $c}} style="{{.}}"{{end}}>{{text $c}}</td>{{end}}</tr>
{{end}}</tbody></table>{{with .More}}<p class="more">{{.}}</p>{{end}}`))

// show writes the values, as the fields of their columns want it.
func (g *grid) show(config *fieldConfig) error {
	for i := range g.columns {
		c := &g.columns[i]
		f, err := config.field(c.name, strings.TrimPrefix(c.source, "Value #"))
		if err != nil {
			return err
		}
		for _, row := range g.rows {
			cell := &row[i]
			if cell.label || math.IsNaN(cell.value) {
				continue
			}
			s := f.show(cell.value)
			cell.text = s.String()
			switch f.Custom.CellOptions.Type {
			case "color-text":
				cell.color = s.color
			case "color-background", "gauge":
				cell.color, cell.fill = s.color, true
			}
		}
		c.name = cmp.Or(f.DisplayName, c.name)
	}
	return nil
}
