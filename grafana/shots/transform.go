package shots

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// transform applies Grafana's transformations to a table. "merge" is how it came to be.
func (g *grid) transform(all []transformation) error {
	for _, t := range all {
		if t.Disabled {
			continue
		}
		var err error
		switch t.ID {
		case "merge", "labelsToFields", "seriesToColumns", "joinByField":
		case "organize":
			err = g.organize(t.Options)
		case "sortBy":
			err = g.sortBy(t.Options)
		case "filterFieldsByName":
			err = g.keep(t.Options)
		default:
			err = fmt.Errorf("want merge, organize, sortBy or filterFieldsByName")
		}
		if err != nil {
			return fmt.Errorf("transformation %q: %w", t.ID, err)
		}
	}
	return nil
}

func (g *grid) organize(text json.RawMessage) error {
	var o struct {
		ExcludeByName map[string]bool
		IndexByName   map[string]int
		RenameByName  map[string]string
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	var order []int
	for i, c := range g.columns {
		if !o.ExcludeByName[c.name] {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		place := func(i int) int {
			if at, ok := o.IndexByName[g.columns[i].name]; ok {
				return at
			}
			return math.MaxInt
		}
		return cmp.Compare(place(a), place(b))
	})
	g.pick(order)
	for i := range g.columns {
		if name := o.RenameByName[g.columns[i].name]; name != "" {
			g.columns[i].name = name
		}
	}
	return nil
}

func (g *grid) keep(text json.RawMessage) error {
	var o struct{ Include struct{ Names []string } }
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	var order []int
	for i, c := range g.columns {
		if slices.Contains(o.Include.Names, c.name) {
			order = append(order, i)
		}
	}
	g.pick(order)
	return nil
}

// pick keeps some columns, in an order.
func (g *grid) pick(order []int) {
	columns := make([]column, len(order))
	for to, from := range order {
		columns[to] = g.columns[from]
	}
	for i, row := range g.rows {
		cells := make([]cell, len(order))
		for to, from := range order {
			cells[to] = row[from]
		}
		g.rows[i] = cells
	}
	g.columns = columns
}

func (g *grid) sortBy(text json.RawMessage) error {
	var o struct {
		Sort []struct {
			Field string
			Desc  bool
		}
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	for _, s := range o.Sort {
		if err := g.sort(s.Field, s.Desc); err != nil {
			return err
		}
	}
	return nil
}

// sort orders the rows by a column.
func (g *grid) sort(name string, falling bool) error {
	i := slices.IndexFunc(g.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("sort by %q: there is no such column", name)
	}
	slices.SortStableFunc(g.rows, func(a, b []cell) int {
		order := cmp.Or(strings.Compare(a[i].text, b[i].text), cmp.Compare(a[i].value, b[i].value))
		if falling {
			return -order
		}
		return order
	})
	return nil
}
