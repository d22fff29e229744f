package main

import (
	"maps"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		before := slices.Clone(c.values)
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("median changed %v to %v", before, c.values)
		}
	}
}

// A metric that only some runs measured has the median of those.
func TestMediansAndSpreads(t *testing.T) {
	runs := []figures{{echoCPU: 10, idleMemory: 5}, {heartbeatCPU: 7}, {echoCPU: 14, idleMemory: 5}, {echoCPU: 11}}
	if got, want := medians(runs), (figures{echoCPU: 11, idleMemory: 5, heartbeatCPU: 7}); !maps.Equal(got, want) {
		t.Errorf("medians are %v, want %v", got, want)
	}
	if got, want := spreads(runs), (figures{echoCPU: 4. / 11, idleMemory: 0}); !maps.Equal(got, want) {
		t.Errorf("spreads are %v, want %v", got, want)
	}
}

func TestBest(t *testing.T) {
	by := map[string]figures{"a": {echoCPU: 2}, "b": {echoCPU: 1, deliveryCPU: 0}, "c": {deliveryCPU: 3}}
	for _, c := range []struct {
		metric metric
		want   string
	}{{echoCPU, "b"}, {deliveryCPU, "b"}, {idleMemory, ""}} {
		name, ok := best(by, c.metric)
		if name != c.want || ok != (c.want != "") {
			t.Errorf("best of metric %d is %q, %v; want %q", c.metric, name, ok, c.want)
		}
	}
}
