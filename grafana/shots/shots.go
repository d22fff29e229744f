// Package shots makes pictures of Grafana's dashboards without Grafana: it runs their queries on Prometheus and draws
// the panels as SVG in one page of HTML that needs nothing else, and that page as PNG.
package shots

import (
	"bytes"
	"context"
	"fmt"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Prometheus is what of its API is asked; v1.API has it.
type Prometheus interface {
	Query(ctx context.Context, query string, ts time.Time, opts ...v1.Option) (model.Value, v1.Warnings, v1.Infos, error)
	QueryRange(ctx context.Context, query string, r v1.Range, opts ...v1.Option) (model.Value, v1.Warnings, v1.Infos, error)
	LabelValues(ctx context.Context, label string, matches []string, start, end time.Time, opts ...v1.Option) (model.LabelValues, v1.Warnings, v1.Infos, error)
}

// DefaultScrapeInterval is that of the fleet's Prometheus.
const DefaultScrapeInterval = 15 * time.Second

// Options say what of a dashboard is shown, and how.
type Options struct {
	// Start and End of the time shown. A zero End is now, a zero Start half an hour before the end.
	Start, End time.Time
	// Step between two samples. 0: one a pixel, but none between two scrapes.
	Step time.Duration
	// ScrapeInterval of Prometheus, which $__rate_interval follows. 0: DefaultScrapeInterval.
	ScrapeInterval time.Duration
	// Vars are values of the dashboard's variables in place of those that it would start with; "All" is everything.
	Vars map[string]string
	// Title in place of the dashboard's.
	Title string
	// Annotations are marked in every panel with a time axis and explained at the top.
	Annotations []Annotation
	// Width of the page in CSS pixels. 0: DefaultWidth.
	Width int
}

// DefaultWidth is that of a page, in CSS pixels.
const DefaultWidth = 1440

// Annotation is something that happened.
type Annotation struct {
	Time time.Time
	Text string
}

// Summary counts what a page shows.
type Summary struct {
	Panels  int // with data or text; rows are none
	Queries int
	Empty   []string // titles of the panels without data
}

// renderer is the making of one page.
type renderer struct {
	prometheus Prometheus
	dashboard  *dashboard
	options    Options
	start, end time.Time
	vars       vars
	marks      []mark
	summary    Summary
}

// Render draws a dashboard, given as Grafana's JSON, as a page of HTML. An error names the dashboard, the panel and the
// query.
func Render(ctx context.Context, prometheus Prometheus, dashboard []byte, options Options) ([]byte, Summary, error) {
	d, err := parseDashboard(dashboard)
	if err != nil {
		return nil, Summary{}, err
	}
	r := &renderer{prometheus: prometheus, dashboard: d, options: options}
	if err := r.defaults(); err != nil {
		return nil, Summary{}, err
	}
	if err := r.resolve(ctx); err != nil {
		return nil, Summary{}, fmt.Errorf("dashboard %q: %w", d.Title, err)
	}
	var page bytes.Buffer
	if err := r.page(ctx, &page); err != nil {
		return nil, Summary{}, fmt.Errorf("dashboard %q, %w", d.Title, err)
	}
	return page.Bytes(), r.summary, nil
}

func (r *renderer) defaults() error {
	o := &r.options
	if o.End.IsZero() {
		o.End = time.Now()
	}
	if o.Start.IsZero() {
		o.Start = o.End.Add(-30 * time.Minute)
	}
	if !o.Start.Before(o.End) {
		return fmt.Errorf("start %s is not before end %s", o.Start.Format(time.RFC3339), o.End.Format(time.RFC3339))
	}
	if o.ScrapeInterval == 0 {
		o.ScrapeInterval = DefaultScrapeInterval
	}
	if o.Width == 0 {
		o.Width = DefaultWidth
	}
	if o.Width < 600 {
		return fmt.Errorf("width %d: a page needs 600 pixels or more", o.Width)
	}
	if o.Title == "" {
		o.Title = r.dashboard.Title
	}
	r.start, r.end = o.Start.UTC(), o.End.UTC()
	return nil
}
