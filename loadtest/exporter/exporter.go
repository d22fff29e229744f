// Package exporter shows a run to Prometheus.
package exporter

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// State of a run.
type State struct {
	Phase       string
	Planned     int64
	Workers     int64
	WorkersLost int64
	Published   int64
	Total       *report.Counts // with all distributions, which are only read
}

// buckets are the bounds of all histograms: 50 µs to 26 s.
var buckets = prometheus.ExponentialBuckets(0.00005, 2, 20)

// Exporter holds the metrics of one run. Counters never go back: what a worker had
// counted before it died stays in them.
type Exporter struct {
	Registry *prometheus.Registry

	planned, open, workers, workersLost, memory prometheus.Gauge
	phase                                       *prometheus.GaugeVec

	mu       sync.Mutex
	counters []counter
	vectors  []vector
	phases   map[string]bool
	times    [len(histograms)]histogram
}

// counter is a prometheus.Counter that follows a total.
type counter struct {
	prometheus.Counter
	total func(State) float64
	seen  float64
}

func (c *counter) follow(total float64) {
	if total > c.seen {
		c.Add(total - c.seen)
		c.seen = total
	}
}

// vector is a counter for each value of its labels.
type vector struct {
	vec    *prometheus.CounterVec
	totals func(*report.Counts) map[labels]int64
	series map[labels]*counter
}

// labels are the values of a series' one or two labels.
type labels [2]string

func (v *vector) of(l labels) *counter {
	c := v.series[l]
	if c == nil {
		values := l[:]
		if l[1] == "" {
			values = l[:1]
		}
		c = &counter{Counter: v.vec.WithLabelValues(values...)}
		v.series[l] = c
	}
	return c
}

// histogram is a distribution as it was when the state was set last.
type histogram struct {
	count  uint64
	sum    float64
	counts []uint64
}

// New returns the metrics of a run of the given version, whose phases are known.
func New(version string, phases []string) *Exporter {
	e := &Exporter{Registry: prometheus.NewRegistry(), phases: map[string]bool{}}
	e.gauges(version)
	for _, p := range phases {
		e.phases[p] = true
		e.phase.WithLabelValues(p)
	}
	for _, c := range counters {
		c.Counter = prometheus.NewCounter(prometheus.CounterOpts{Name: "wsload_" + c.name, Help: c.help})
		e.Registry.MustRegister(c.Counter)
		e.counters = append(e.counters, c.counter)
	}
	for _, v := range vectors {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wsload_" + v.name, Help: v.help}, v.labels)
		e.Registry.MustRegister(vec)
		e.vectors = append(e.vectors, vector{vec, v.totals, map[labels]*counter{}})
		for l := range v.totals(&report.Counts{}) {
			e.vectors[len(e.vectors)-1].of(l)
		}
	}
	for i := range e.times {
		e.times[i].counts = make([]uint64, len(buckets))
	}
	e.Registry.MustRegister((*timesCollector)(e))
	return e
}

// Set makes the metrics those of a state of the run.
func (e *Exporter) Set(s State) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.planned.Set(float64(s.Planned))
	e.open.Set(float64(s.Total.Open))
	e.workers.Set(float64(s.Workers))
	e.workersLost.Set(float64(s.WorkersLost))
	e.memory.Set(float64(s.Total.Usage.ResidentBytes))
	for p := range e.phases {
		value := 0.0
		if p == s.Phase {
			value = 1
		}
		e.phase.WithLabelValues(p).Set(value)
	}
	for i := range e.counters {
		e.counters[i].follow(e.counters[i].total(s))
	}
	for i := range e.vectors {
		for l, total := range e.vectors[i].totals(s.Total) {
			e.vectors[i].of(l).follow(float64(total))
		}
	}
	for i, h := range histograms {
		l := h.of(s.Total)
		counts, sum := l.Buckets(buckets)
		e.times[i] = histogram{uint64(l.Count()), sum, counts}
	}
}

// timesCollector is the part of the exporter that Prometheus asks for histograms.
type timesCollector Exporter

// Describe implements prometheus.Collector.
func (t *timesCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, h := range histograms {
		ch <- h.desc
	}
}

// Collect implements prometheus.Collector.
func (t *timesCollector) Collect(ch chan<- prometheus.Metric) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, h := range histograms {
		bounds := map[float64]uint64{}
		for k, bound := range buckets {
			bounds[bound] = t.times[i].counts[k]
		}
		ch <- prometheus.MustNewConstHistogram(h.desc, t.times[i].count, t.times[i].sum, bounds)
	}
}
