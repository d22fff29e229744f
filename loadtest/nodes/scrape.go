package nodes

import (
	"context"
	"fmt"
	"io"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxBody bounds what a node may answer, in bytes.
const maxBody = 4 << 20

// The metrics that are read. The first two are what every Prometheus client
// library exports of its process.
const (
	memoryMetric      = "process_resident_memory_bytes"
	cpuMetric         = "process_cpu_seconds_total"
	connectionsMetric = "wsnode_connections"
)

// values of one scrape; nil for what the answer does not have.
type values struct{ memory, cpu, connections *float64 }

func fetch(ctx context.Context, client *http.Client, url string) (values, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return values{}, err
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	resp, err := client.Do(req)
	if err != nil {
		return values{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return values{}, fmt.Errorf("status %s", resp.Status)
	}
	return parse(io.LimitReader(resp.Body, maxBody))
}

func parse(r io.Reader) (values, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return values{}, fmt.Errorf("parse metrics: %w", err)
	}
	got := values{total(families[memoryMetric]), total(families[cpuMetric]), total(families[connectionsMetric])}
	if got == (values{}) {
		return got, fmt.Errorf("none of %s, %s and %s among the metrics", memoryMetric, cpuMetric, connectionsMetric)
	}
	return got, nil
}

// total adds up the series of a metric; nil if there are none.
func total(family *dto.MetricFamily) *float64 {
	if family == nil {
		return nil
	}
	var sum float64
	for _, m := range family.Metric {
		sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
	}
	return &sum
}
