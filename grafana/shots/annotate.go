package shots

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// annotationQuery is one of the dashboard's own: something happened where it starts to yield a sample.
type annotationQuery struct {
	Name        string
	Enable      bool
	Datasource  any // an object with a type, or a name
	Expr        string
	TitleFormat string
	TextFormat  string
	Step        string
}

// annotate collects what happened: what the options say and what the dashboard's queries find.
func (r *renderer) annotate(ctx context.Context) error {
	events := slices.Clone(r.options.Annotations)
	for _, q := range r.dashboard.Annotations.List {
		if !q.Enable || q.Expr == "" {
			continue
		}
		found, err := r.events(ctx, q)
		if err != nil {
			return fmt.Errorf("annotation %q: %w", q.Name, err)
		}
		events = append(events, found...)
	}
	events = slices.DeleteFunc(events, func(a Annotation) bool { return a.Time.Before(r.start) || a.Time.After(r.end) })
	slices.SortStableFunc(events, func(a, b Annotation) int { return cmp.Or(a.Time.Compare(b.Time)) })
	for i, e := range events {
		r.marks = append(r.marks, mark{time: e.Time, flag: strconv.Itoa(i + 1), text: e.Text})
	}
	return nil
}

func (r *renderer) events(ctx context.Context, q annotationQuery) ([]Annotation, error) {
	step, err := r.step(q.Step, float64(r.options.Width))
	if err != nil {
		return nil, err
	}
	expr, err := r.vars.timed(r.start, r.end, step, r.options.ScrapeInterval).expand(q.Expr)
	if err != nil {
		return nil, err
	}
	r.summary.Queries++
	value, _, _, err := r.prometheus.QueryRange(ctx, expr, v1.Range{Start: r.start.Truncate(step), End: r.end.Truncate(step), Step: step})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	var events []Annotation
	for _, stream := range asMatrix(value) {
		text := seriesName(q.TitleFormat, stream.Metric, q.Name)
		if q.TextFormat != "" {
			text += " " + seriesName(q.TextFormat, stream.Metric, "")
		}
		var before time.Time
		for _, s := range stream.Values {
			at := s.Timestamp.Time()
			if at.Sub(before) > step+step/2 {
				events = append(events, Annotation{Time: at, Text: text})
			}
			before = at
		}
	}
	return events, nil
}
