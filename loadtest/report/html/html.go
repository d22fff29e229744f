// Package html writes a report as one page that needs nothing but itself: style,
// script and data are in it, and no network is used.
package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"

	"github.com/wsfleet/wsfleet/loadtest/figure"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// The charts are drawn by uPlot, which is embedded as it comes from its package;
// its licence goes into every page with it.
var (
	//go:embed assets/uPlot.iife.min.js
	plotScript string
	//go:embed assets/uPlot.min.css
	plotStyle string
	//go:embed assets/uPlot.LICENSE
	plotLicence string
	//go:embed assets/report.js
	script string
	//go:embed assets/report.css
	style string
	//go:embed assets/report.html
	page string
)

// pageTemplate is parsed when it is needed first: most processes never do.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"count":   figure.Count,
		"seconds": figure.Seconds,
		"bytes":   figure.Bytes,
		"size":    func(n int64) string { return figure.Bytes(float64(n)) },
		"rate":    figure.Rate,
		"number":  figure.Number,
	}).Parse(page))
})

// view is what the page shows.
type view struct {
	*report.Report
	Style, Script template.HTML
	Data          charts
	Tiles         []tile
	Times         []timesRow
	Classes       []classRow
	Unmet         []report.Outcome
}

// Write writes the page.
func Write(w io.Writer, r *report.Report) error {
	v := view{
		Report: r,
		// The licence has to be in every copy: uPlot's own comment names it only.
		Style:   template.HTML("<style>" + plotStyle + style + "</style>"),
		Script:  template.HTML("<script>\n/*\n" + plotLicence + "*/\n" + plotScript + script + "</script>"),
		Data:    chartData(r),
		Tiles:   tiles(r),
		Times:   timesRows(r),
		Classes: classRows(r),
	}
	for _, o := range r.Expectations {
		if !o.OK {
			v.Unmet = append(v.Unmet, o)
		}
	}
	if err := pageTemplate().Execute(w, v); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// charts is what the script draws, as JSON.
type charts struct {
	Planned     int64          `json:"planned"`
	ConnectRate float64        `json:"connect_rate"` // intended, per second
	EchoRate    float64        `json:"echo_rate"`
	Nodes       []string       `json:"nodes"` // their metrics' URLs
	Phases      []report.Phase `json:"phases"`
	Timeline    []report.Point `json:"timeline"`
}

func chartData(r *report.Report) charts {
	c := charts{
		Planned: r.Planned, ConnectRate: r.Connect.IntendedRate, EchoRate: r.Echo.IntendedRate,
		// Empty lists, for null is none to the script.
		Nodes: []string{}, Phases: append([]report.Phase{}, r.Phases...), Timeline: append([]report.Point{}, r.Timeline...),
	}
	for _, n := range r.Nodes.List {
		c.Nodes = append(c.Nodes, n.URL)
	}
	return c
}
