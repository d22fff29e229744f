package shots

import (
	"context"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"
)

// The grid of a dashboard, as Grafana lays it out.
const (
	gridColumns = 24
	gridRow     = 30 // pixels
	gridGap     = 8
	pageEdge    = 16
	panelHead   = 34
	panelBorder = 1
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// view is what the page's template shows.
type view struct {
	Title, Description string
	From, To           string
	Width              int
	Edge, Row, Gap     int
	Columns, Head      int
	Canvas, Panel      string
	Border, Text       string
	Strong, Axis, Mark string
	Variables          []viewVariable
	Annotations        []viewAnnotation
	Panels             []viewPanel
}

type viewVariable struct{ Name, Text string }

type viewAnnotation struct{ Flag, Time, Text string }

type viewPanel struct {
	ID                 string
	Type               string
	Title, Description string
	Column, Line       int
	Width, Height      int
	Body               template.HTML
	Empty              bool
}

func (r *renderer) page(ctx context.Context, w io.Writer) error {
	v := view{
		Title: r.options.Title, Description: r.dashboard.Description, Width: r.options.Width,
		From: r.start.Format(time.DateTime), To: r.to(),
		Edge: pageEdge, Row: gridRow, Gap: gridGap, Columns: gridColumns, Head: panelHead,
		Canvas: colorCanvas, Panel: colorPanel, Border: colorBorder, Text: colorText, Strong: colorStrong, Axis: colorAxis, Mark: colorMark,
	}
	for _, name := range r.vars.order {
		v.Variables = append(v.Variables, viewVariable{name, r.vars.texts[name]})
	}
	if err := r.annotate(ctx); err != nil {
		return err
	}
	for _, m := range r.marks {
		v.Annotations = append(v.Annotations, viewAnnotation{m.flag, m.time.UTC().Format(time.TimeOnly), m.text})
	}
	for i := range r.dashboard.Panels {
		p := &r.dashboard.Panels[i]
		shown, err := r.panel(ctx, p, i)
		if err != nil {
			return fmt.Errorf("panel %q: %w", p.Title, err)
		}
		v.Panels = append(v.Panels, shown)
	}
	return pageTemplate.Execute(w, v)
}

// to is the end of the time shown, without the day if that is the one of the start.
func (r *renderer) to() string {
	if r.start.Format(time.DateOnly) == r.end.Format(time.DateOnly) {
		return r.end.Format(time.TimeOnly)
	}
	return r.end.Format(time.DateTime)
}

// drawing is the inside of a panel: as much room as it has, and what the page needs to tell it from others.
type drawing struct {
	id            string
	width, height float64
	panel         *panel
}

func (d *drawing) options(into any) error {
	if len(d.panel.Options) == 0 {
		return nil
	}
	if err := json.Unmarshal(d.panel.Options, into); err != nil {
		return fmt.Errorf("options: %w", err)
	}
	return nil
}

func (r *renderer) panel(ctx context.Context, p *panel, number int) (viewPanel, error) {
	g := p.GridPos
	column := float64(r.options.Width-2*pageEdge-(gridColumns-1)*gridGap) / gridColumns
	shown := viewPanel{
		ID: "panel-" + strconv.Itoa(number), Type: p.Type, Description: p.Description,
		Column: g.X + 1, Line: g.Y + 1, Width: g.W, Height: g.H,
	}
	var err error
	if shown.Title, err = r.vars.expand(p.Title); err != nil {
		return shown, err
	}
	if p.Type == "row" {
		return shown, nil
	}
	r.summary.Panels++
	d := &drawing{
		id: shown.ID, panel: p,
		width:  column*float64(g.W) + float64((g.W-1)*gridGap) - 2*panelBorder,
		height: float64(g.H*gridRow+(g.H-1)*gridGap) - 2*panelBorder,
	}
	if p.Title != "" {
		d.height -= panelHead
	}
	if p.Type == "text" {
		shown.Body, err = r.text(d)
		return shown, err
	}
	all, err := r.query(ctx, p, d.width)
	if err != nil {
		return shown, err
	}
	if shown.Body, err = r.draw(d, all); err != nil {
		return shown, err
	}
	if shown.Body == "" {
		shown.Empty = true
		r.summary.Empty = append(r.summary.Empty, shown.Title)
	}
	return shown, nil
}

// draw draws the inside of a panel with data; it is empty if there is none.
func (r *renderer) draw(d *drawing, all []*series) (template.HTML, error) {
	var found []*series
	for _, s := range all {
		if !s.empty() {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	switch d.panel.Type {
	case "timeseries":
		return r.timeseries(d, found)
	case "stat":
		return r.stat(d, found)
	case "gauge":
		return r.gauge(d, found)
	case "bargauge":
		return r.bargauge(d, found)
	case "heatmap":
		return r.heatmap(d, found)
	case "table":
		return r.table(d, found)
	}
	return "", fmt.Errorf("type %q: nobody draws it", d.panel.Type)
}
