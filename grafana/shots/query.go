package shots

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// series is one series of a panel.
type series struct {
	name   string
	labels model.Metric
	refID  string
	times  []time.Time // the same of all series of a panel, one each step
	values []float64   // NaN where there is no sample
	step   time.Duration
	field  *field
	color  string
}

// query runs the queries of a panel that is so many pixels wide. Series come in the order of the queries, those of a
// query in that of their names.
func (r *renderer) query(ctx context.Context, p *panel, width float64) ([]*series, error) {
	var all []*series
	for _, t := range p.Targets {
		if t.Hide {
			continue
		}
		r.summary.Queries++
		found, err := r.target(ctx, p, t, width)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", t.RefID, err)
		}
		all = append(all, found...)
	}
	for i, s := range all {
		if s.field.Color.Mode == "fixed" {
			s.color = s.field.Color.FixedColor
		} else {
			s.color = palette[i%len(palette)]
		}
	}
	return all, nil
}

func (r *renderer) target(ctx context.Context, p *panel, t target, width float64) ([]*series, error) {
	step, err := r.step(cmp.Or(t.Interval, p.Interval), width)
	if err != nil {
		return nil, err
	}
	expr, err := r.vars.timed(r.start, r.end, step, r.options.ScrapeInterval).expand(t.Expr)
	if err != nil {
		return nil, err
	}
	// As Grafana does: samples at multiples of the step, so that a second look shows the same.
	start, end := r.start.Truncate(step), r.end.Truncate(step)
	var matrix model.Matrix
	if t.Instant && !t.Range {
		value, _, _, err := r.prometheus.Query(ctx, expr, r.end)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expr, err)
		}
		start, end = r.end, r.end
		matrix = asMatrix(value)
	} else {
		value, _, _, err := r.prometheus.QueryRange(ctx, expr, v1.Range{Start: start, End: end, Step: step})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expr, err)
		}
		matrix = asMatrix(value)
	}
	var all []*series
	for _, stream := range matrix {
		s := &series{labels: stream.Metric, refID: t.RefID, step: step, name: seriesName(t.LegendFormat, stream.Metric, expr)}
		s.fill(stream.Values, start, end)
		if s.field, err = p.FieldConfig.field(s.name, t.RefID); err != nil {
			return nil, err
		}
		if s.field.DisplayName != "" {
			s.name = seriesName(strings.ReplaceAll(s.field.DisplayName, "${__field.labels.", "${"), stream.Metric, expr)
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b *series) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// step is the distance of samples in a panel of so many pixels: one a pixel, but none between two scrapes.
func (r *renderer) step(atLeast string, width float64) (time.Duration, error) {
	if r.options.Step > 0 {
		return r.options.Step, nil
	}
	least := r.options.ScrapeInterval
	if atLeast = strings.TrimPrefix(atLeast, ">"); atLeast != "" {
		d, err := model.ParseDuration(atLeast)
		if err != nil {
			return 0, fmt.Errorf("interval %q: %w", atLeast, err)
		}
		least = max(least, time.Duration(d))
	}
	step := time.Duration(float64(r.end.Sub(r.start)) / width)
	for _, round := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400} {
		if round *= time.Second; round >= step {
			return max(round, least), nil
		}
	}
	return max(step.Round(24*time.Hour), least), nil
}

// asMatrix makes series of whatever a query has yielded.
func asMatrix(value model.Value) model.Matrix {
	switch v := value.(type) {
	case model.Matrix:
		return v
	case model.Vector:
		var m model.Matrix
		for _, s := range v {
			m = append(m, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
		}
		return m
	case *model.Scalar:
		return model.Matrix{{Metric: model.Metric{}, Values: []model.SamplePair{{Timestamp: v.Timestamp, Value: v.Value}}}}
	}
	return nil
}

// fill puts the samples in their places from start to end.
func (s *series) fill(samples []model.SamplePair, start, end time.Time) {
	for t := start; !t.After(end); t = t.Add(s.step) {
		s.times, s.values = append(s.times, t), append(s.values, math.NaN())
	}
	for _, p := range samples {
		i := int(math.Round(float64(p.Timestamp.Time().Sub(start)) / float64(s.step)))
		if i >= 0 && i < len(s.values) {
			s.values[i] = float64(p.Value)
		}
	}
}

// empty says whether no sample is a number.
func (s *series) empty() bool {
	return !slices.ContainsFunc(s.values, func(v float64) bool { return !math.IsNaN(v) })
}

var labelReference = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}|\$\{(\w+)\}`)

// seriesName is what the legend calls a series.
func seriesName(format string, labels model.Metric, expr string) string {
	switch {
	case format != "" && format != "__auto":
		return strings.TrimSpace(labelReference.ReplaceAllStringFunc(format, func(found string) string {
			m := labelReference.FindStringSubmatch(found)
			return string(labels[model.LabelName(m[1]+m[2])])
		}))
	case len(labels) == 0:
		return expr
	}
	return labels.String()
}
