// Package report holds what a run counted: the counts that workers send and the
// leader merges, the report made of them, and the expectations it is held against.
package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// Latencies are kept in microseconds with three significant digits. All
	// histograms have the same geometry, so that merging them loses nothing.
	longest           = time.Hour
	significantDigits = 3
)

// Latency is a distribution of times. The zero value is empty. Only buckets that
// hold something take memory: some kilobytes as a rule, where a dense histogram
// takes 190.
type Latency struct{ h *hdrhistogram.PackedHistogram }

func newHistogram(digits int) *hdrhistogram.PackedHistogram {
	return hdrhistogram.NewPacked(1, longest.Microseconds(), digits)
}

// Record adds d, taken as 0 if it is negative and as an hour if it is longer.
func (l *Latency) Record(d time.Duration) {
	if l.h == nil {
		l.h = newHistogram(significantDigits)
	}
	_ = l.h.RecordValue(min(max(d, 0), longest).Microseconds()) // within the range by now
}

// Take returns the distribution and leaves an empty one.
func (l *Latency) Take() Latency {
	taken := *l
	l.h = nil
	return taken
}

// Count returns how many times were recorded.
func (l Latency) Count() int64 {
	if l.h == nil {
		return 0
	}
	return l.h.TotalCount()
}

// Merge adds all of o.
func (l *Latency) Merge(o Latency) error {
	if o.h == nil {
		return nil
	}
	if l.h == nil {
		l.h = newHistogram(significantDigits)
	}
	for value, count := range o.h.ForEachBucket {
		if err := l.h.RecordValues(value, count); err != nil {
			return fmt.Errorf("merge histograms: %w", err)
		}
	}
	return nil
}

// MarshalJSON encodes the distribution as a list of microseconds and counts in
// turn, or null when it is empty.
func (l Latency) MarshalJSON() ([]byte, error) {
	if l.h == nil {
		return []byte("null"), nil
	}
	p := []byte{'['}
	for value, count := range l.h.ForEachBucket {
		if len(p) > 1 {
			p = append(p, ',')
		}
		p = strconv.AppendInt(p, value, 10)
		p = append(p, ',')
		p = strconv.AppendInt(p, count, 10)
	}
	return append(p, ']'), nil
}

// UnmarshalJSON is the reverse of MarshalJSON.
func (l *Latency) UnmarshalJSON(p []byte) error {
	var buckets []int64
	if err := json.Unmarshal(p, &buckets); err != nil {
		return err
	}
	l.h = nil
	if len(buckets)%2 != 0 {
		return fmt.Errorf("decode histogram: %d numbers, want pairs", len(buckets))
	}
	for i := 0; i < len(buckets); i += 2 {
		if l.h == nil {
			l.h = newHistogram(significantDigits)
		}
		if err := l.h.RecordValues(buckets[i], buckets[i+1]); err != nil {
			return fmt.Errorf("decode histogram: %w", err)
		}
	}
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
	P995  float64 `json:"p995"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Percentiles summarises the distribution; all are 0 when it is empty.
func (l Latency) Percentiles() Percentiles {
	if l.Count() == 0 {
		return Percentiles{}
	}
	at := func(q float64) float64 { return float64(l.h.ValueAtPercentile(q)) / 1e6 }
	return Percentiles{
		Count: l.h.TotalCount(),
		Min:   float64(l.h.Min()) / 1e6,
		Mean:  l.h.Mean() / 1e6,
		P50:   at(50), P90: at(90), P99: at(99), P995: at(99.5), P999: at(99.9),
		Max: float64(l.h.Max()) / 1e6,
	}
}

// Buckets returns how many times are at most each of the bounds, which are seconds
// in ascending order, and the sum of all in seconds. Both are as exact as the
// distribution is.
func (l Latency) Buckets(bounds []float64) (counts []uint64, sum float64) {
	counts = make([]uint64, len(bounds))
	if l.h == nil {
		return counts, 0
	}
	below, i := uint64(0), 0
	for value, count := range l.h.ForEachBucket {
		for ; i < len(bounds) && float64(value)/1e6 > bounds[i]; i++ {
			counts[i] = below
		}
		below += uint64(count)
		sum += float64(value) / 1e6 * float64(count)
	}
	for ; i < len(bounds); i++ {
		counts[i] = below
	}
	return counts, sum
}
