package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/wsfleet/wsfleet/grafana/shots"
)

// picture is a chart of the report, from the fleet's Prometheus.
type picture struct {
	file, title, unit string
	queries           map[string]string // by the name of the line
}

var pictures = []picture{
	{"connections.svg", "Connections, as the nodes count them", "short", map[string]string{"": "sum(wsnode_connections)"}},
	{"messages.svg", "Messages to clients", "cps", map[string]string{"": "sum(rate(wsnode_messages_sent_total[1m]))"}},
	{"memory.svg", "Memory of the machine that can't be dropped", "bytes", map[string]string{
		"": "max(node_memory_MemTotal_bytes - node_memory_MemFree_bytes - node_memory_Buffers_bytes - (node_memory_Cached_bytes - node_memory_Shmem_bytes))",
	}},
}

const (
	// pictureStep is the time between two points: the scrape interval of the scenario.
	pictureStep = 15 * time.Second
	// picturesTime bounds the making of them all, a browser included.
	picturesTime = 2 * time.Minute
)

// draw makes the pictures of the run, which its page shows: charts, and the Fleet dashboard as Grafana would show it.
func (r *Record) draw(ctx context.Context, f *Fleet) error {
	ctx, cancel := context.WithTimeout(ctx, picturesTime)
	defer cancel()
	prometheus, err := f.prometheus()
	if err != nil {
		return err
	}
	marks := r.marks()
	for _, p := range pictures {
		chart := shots.Chart{Title: p.title, Unit: p.unit, Annotations: marks, Start: r.Ramped, End: r.Ended, Elapsed: true, Fill: 0.1}
		for name, query := range p.queries {
			series, err := series(ctx, prometheus, query, promv1.Range{Start: r.Ramped, End: r.Ended, Step: pictureStep})
			if err != nil {
				return fmt.Errorf("picture %s: %w", p.file, err)
			}
			series.Name = name
			chart.Series = append(chart.Series, series)
		}
		svg, err := chart.SVG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.Files, p.file), svg, 0o644); err != nil {
			return err
		}
	}
	return r.drawDashboard(ctx, f, prometheus, marks)
}

// fleetPicture is the Fleet dashboard's.
const fleetPicture = "fleet.png"

func (r *Record) drawDashboard(ctx context.Context, f *Fleet, prometheus shots.Prometheus, marks []shots.Annotation) error {
	dashboard, err := os.ReadFile(filepath.Join(f.Root, "grafana", "dashboards", "fleet.json"))
	if err != nil {
		return err
	}
	html, _, err := shots.Render(ctx, prometheus, dashboard, shots.Options{Start: r.Ramped, End: r.Ended, ScrapeInterval: pictureStep, Annotations: marks})
	if err != nil {
		return err
	}
	png, err := shots.PNG(ctx, html, shots.DefaultWidth)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Files, fleetPicture), png, 0o644)
}

// marks are what happened, for the time axes.
func (r *Record) marks() (list []shots.Annotation) {
	for _, s := range r.Stages {
		if s.Part {
			list = append(list, shots.Annotation{Time: r.Ramped.Add(s.At), Text: s.Name})
		}
	}
	for _, o := range r.Faults {
		list = append(list, shots.Annotation{Time: o.Began, Text: o.Name})
	}
	return list
}

// series asks for a query that yields one line.
func series(ctx context.Context, prometheus shots.Prometheus, query string, over promv1.Range) (s shots.Series, err error) {
	value, _, _, err := prometheus.QueryRange(ctx, query, over)
	if err != nil {
		return s, fmt.Errorf("%s: %w", query, err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok || len(matrix) != 1 {
		return s, fmt.Errorf("%s: got %d lines, want one", query, len(matrix))
	}
	for _, v := range matrix[0].Values {
		s.Times, s.Values = append(s.Times, v.Timestamp.Time()), append(s.Values, float64(v.Value))
	}
	return s, nil
}
