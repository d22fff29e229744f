package shots

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// dashboard is what of Grafana's schema is rendered.
type dashboard struct {
	Title       string
	Description string
	Panels      []panel
	Templating  struct{ List []variable }
	Annotations struct{ List []annotationQuery }
}

type panel struct {
	Type            string
	Title           string
	Description     string
	GridPos         gridPos
	Collapsed       bool
	Panels          []panel // of a row that is collapsed
	Interval        string
	Repeat          string
	TimeFrom        string
	TimeShift       string
	Targets         []target
	FieldConfig     fieldConfig
	Options         json.RawMessage // each type has its own
	Transformations []transformation
}

type gridPos struct{ H, W, X, Y int }

type target struct {
	RefID        string
	Expr         string
	LegendFormat string
	Format       string
	Interval     string
	Instant      bool
	Range        bool
	Hide         bool
}

type transformation struct {
	ID       string
	Disabled bool
	Options  json.RawMessage
}

// drawn are the types of panels that there is a picture of.
var drawn = []string{"timeseries", "stat", "gauge", "bargauge", "table", "heatmap", "text"}

// parseDashboard reads a dashboard and refuses what it could only draw wrong.
func parseDashboard(text []byte) (*dashboard, error) {
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if d.Title == "" {
		return nil, fmt.Errorf("dashboard: title is missing")
	}
	d.Panels = unfold(d.Panels)
	for i := range d.Panels {
		if err := d.Panels[i].check(); err != nil {
			return nil, fmt.Errorf("dashboard %q, panel %q: %w", d.Title, d.Panels[i].Title, err)
		}
	}
	return &d, nil
}

func (p *panel) check() error {
	g := p.GridPos
	switch {
	case p.Type != "row" && !slices.Contains(drawn, p.Type):
		return fmt.Errorf("type %q: want one of %s, row", p.Type, strings.Join(drawn, ", "))
	case g.W < 1 || g.H < 1 || g.X < 0 || g.Y < 0 || g.X+g.W > gridColumns:
		return fmt.Errorf("gridPos %+v lies outside the grid of %d columns", g, gridColumns)
	case p.Repeat != "":
		return fmt.Errorf("repeat %q: repeated panels are not drawn", p.Repeat)
	case p.TimeFrom != "":
		return fmt.Errorf("timeFrom %q: a time range of its own is not drawn", p.TimeFrom)
	case p.TimeShift != "":
		return fmt.Errorf("timeShift %q: a time range of its own is not drawn", p.TimeShift)
	case !p.queries() && len(p.Targets) > 0:
		return fmt.Errorf("type %q has no queries", p.Type)
	}
	for _, t := range p.Targets {
		if t.Expr == "" && !t.Hide {
			return fmt.Errorf("query %s: expr is missing", t.RefID)
		}
	}
	return p.FieldConfig.check()
}

// queries says whether a panel shows data.
func (p *panel) queries() bool { return p.Type != "row" && p.Type != "text" }

// unfold opens collapsed rows: a picture cannot be clicked.
func unfold(panels []panel) []panel {
	slices.SortStableFunc(panels, func(a, b panel) int {
		if a.GridPos.Y != b.GridPos.Y {
			return a.GridPos.Y - b.GridPos.Y
		}
		return a.GridPos.X - b.GridPos.X
	})
	var all []panel
	shift := 0
	for _, p := range panels {
		top := p.GridPos.Y + 1
		p.GridPos.Y += shift
		all = append(all, p)
		bottom := top
		for _, inner := range p.Panels {
			bottom = max(bottom, inner.GridPos.Y+inner.GridPos.H)
			inner.GridPos.Y += shift
			all = append(all, inner)
		}
		shift += bottom - top
	}
	return all
}
