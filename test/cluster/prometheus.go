package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

var errNoMonitoring = errors.New("the fleet has no monitoring host")

// prometheus returns a client of the fleet's Prometheus.
func (f *Fleet) prometheus() (promv1.API, error) {
	if f.prometheusURL() == "" {
		return nil, errNoMonitoring
	}
	client, err := api.NewClient(api.Config{Address: f.prometheusURL()})
	if err != nil {
		return nil, err
	}
	return promv1.NewAPI(client), nil
}

func (f *Fleet) prometheusURL() string {
	for _, h := range f.role("monitoring") {
		return "http://" + h.Address + ":9090"
	}
	return ""
}

// FindPrometheus returns the URL of the Prometheus of a fleet that is up.
func (f *Fleet) FindPrometheus(ctx context.Context) (string, error) {
	if err := f.loadEnv(ctx); err != nil {
		return "", err
	}
	if err := f.findHosts(ctx); err != nil {
		return "", err
	}
	if f.prometheusURL() == "" {
		return "", errNoMonitoring
	}
	return f.prometheusURL(), nil
}

// query returns the samples of an instant query.
func (f *Fleet) query(ctx context.Context, expr string) (model.Vector, error) {
	prom, err := f.prometheus()
	if err != nil {
		return nil, err
	}
	v, _, _, err := prom.Query(ctx, expr, time.Now())
	if err != nil {
		return nil, fmt.Errorf("prometheus: %s: %w", expr, err)
	}
	vector, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("prometheus: %s: %s instead of a vector", expr, v.Type())
	}
	return vector, nil
}

// sum returns the value of a query that yields one sample, 0 if it yields none.
func (f *Fleet) sum(ctx context.Context, expr string) (float64, error) {
	vector, err := f.query(ctx, expr)
	if err != nil || len(vector) == 0 {
		return 0, err
	}
	return float64(vector[0].Value), nil
}

// until asks a query every second until it yields want.
func (f *Fleet) until(ctx context.Context, expr string, want float64, timeout time.Duration) error {
	var got float64
	var err error
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); {
		if got, err = f.sum(ctx, expr); err == nil && got == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("prometheus: %s is %v after %s, want %v", expr, got, timeout, want)
}
