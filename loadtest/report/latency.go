// Package report holds what a run counted: the counts that workers send and the
// leader merges, the report made of them, and the expectations it is held against.
package report

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// Latencies are kept in microseconds with three significant digits. All
	// histograms have the same geometry, so that merging them loses nothing.
	longest           = time.Hour
	significantDigits = 3
)

// Latency is a distribution of times. The zero value is empty.
type Latency struct{ h *hdrhistogram.Histogram }

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), significantDigits)
}

// Record adds d, taken as 0 if it is negative and as an hour if it is longer.
func (l *Latency) Record(d time.Duration) {
	if l.h == nil {
		l.h = newHistogram()
	}
	_ = l.h.RecordValue(min(max(d, 0), longest).Microseconds()) // within the range by now
}

// Merge adds all of o.
func (l *Latency) Merge(o Latency) error {
	if o.h == nil {
		return nil
	}
	if l.h == nil {
		l.h = newHistogram()
	}
	if dropped := l.h.Merge(o.h); dropped > 0 {
		return fmt.Errorf("merging histograms dropped %d of %d values", dropped, o.h.TotalCount())
	}
	return nil
}

// MarshalJSON encodes the distribution as HdrHistogram's compressed format in
// base64, or null when it is empty.
func (l Latency) MarshalJSON() ([]byte, error) {
	if l.h == nil {
		return []byte("null"), nil
	}
	p, err := l.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	return json.Marshal(string(p))
}

// UnmarshalJSON is the reverse of MarshalJSON.
func (l *Latency) UnmarshalJSON(p []byte) error {
	var text *string
	if err := json.Unmarshal(p, &text); err != nil {
		return err
	}
	l.h = nil
	if text == nil {
		return nil
	}
	h, err := hdrhistogram.Decode([]byte(*text))
	if err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	l.h = h
	return nil
}

// Percentiles of a Latency, in seconds.
type Percentiles struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Percentiles summarises the distribution; all are 0 when it is empty.
func (l Latency) Percentiles() Percentiles {
	if l.h == nil || l.h.TotalCount() == 0 {
		return Percentiles{}
	}
	at := func(q float64) float64 { return float64(l.h.ValueAtQuantile(q)) / 1e6 }
	return Percentiles{
		Count: l.h.TotalCount(),
		Min:   float64(l.h.Min()) / 1e6,
		Mean:  l.h.Mean() / 1e6,
		P50:   at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: float64(l.h.Max()) / 1e6,
	}
}
