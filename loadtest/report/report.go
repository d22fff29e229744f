package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Report is the outcome of a run, and the JSON that -json writes. The path of a
// number in it is the name by which expectations speak of it. Times are seconds.
type Report struct {
	Run         string    `json:"run"`
	Version     string    `json:"version"`
	Seed        uint64    `json:"seed"`
	Started     time.Time `json:"started_at"`
	Duration    float64   `json:"duration"`
	Targets     []string  `json:"targets"`
	Workers     int64     `json:"workers"`
	WorkersLost int64     `json:"workers_lost"`
	Interrupted bool      `json:"interrupted"`

	Planned          int64   `json:"planned"`
	Connected        int64   `json:"connected"`
	Failed           int64   `json:"failed"`
	NotStarted       int64   `json:"not_started"`
	Held             int64   `json:"held"`
	Failures         Classes `json:"failures"`
	ClosedUnexpected int64   `json:"closed_unexpected"`
	Closed           Classes `json:"closed"`
	CloseFailed      int64   `json:"close_failed"`
	CloseFailures    Classes `json:"close_failures"`
	Foreign          int64   `json:"foreign"`
	Pings            int64   `json:"pings"`

	Connect   Connect     `json:"connect"`
	Handshake Percentiles `json:"handshake"`
	Echo      Echo        `json:"echo"`
	Broadcast Broadcast   `json:"broadcast"`
	Generator Generator   `json:"generator"`

	Samples      []Sample  `json:"samples"`
	Expectations []Outcome `json:"expectations"`
	OK           bool      `json:"ok"`
}

// Rates holds the intended rate beside the actual one, both per second.
type Rates struct {
	IntendedRate float64 `json:"intended_rate"`
	ActualRate   float64 `json:"actual_rate"`
	WorstLag     float64 `json:"worst_lag"`
	Behind       bool    `json:"behind"`
}

// Connect is about TCP connections; times run from the intended start.
type Connect struct {
	Rates
	Percentiles
}

// Echo is about the echo round; times run from the intended sending.
type Echo struct {
	EchoCounts
	Rates
	Percentiles
}

// Broadcast is about deliveries; times run from the sending.
type Broadcast struct {
	Published     int64 `json:"published"`
	PublishFailed int64 `json:"publish_failed"`
	BroadcastCounts
	Rates
	Percentiles
}

// Generator says what wsload itself took, and whether it kept its schedules.
type Generator struct {
	Behind         int64   `json:"behind"` // schedules it fell behind
	EmptyBytes     int64   `json:"empty_bytes"`
	HeldBytes      int64   `json:"held_bytes"`
	BytesPerClient float64 `json:"bytes_per_client"`
	CPUSeconds     float64 `json:"cpu_seconds"`
}

// Behind reports whether the generator failed its own schedule: the last start
// came late by more than a twentieth of the schedule, and by more than half a
// second, which a short run may lose to a busy machine.
func (p Pace) Behind() bool {
	return p.Actual-p.Intended > max(500*time.Millisecond, p.Intended/20)
}

func (p Pace) rates() Rates {
	r := Rates{WorstLag: p.WorstLag.Seconds(), Behind: p.Behind()}
	if p.Starts > 1 && p.Intended > 0 {
		// The starts after the first, over the time they took.
		r.IntendedRate = float64(p.Starts-1) / p.Intended.Seconds()
		r.ActualRate = float64(p.Starts-1) / max(p.Actual, time.Microsecond).Seconds()
	}
	return r
}

// Publishing is the leader's own part of a run.
type Publishing struct {
	Published, Failed int64
	Pace              Pace
}

// Fill sets all that follows from the counts.
func (r *Report) Fill(c *Counts, publishing Publishing) {
	r.Connected, r.Failed, r.Held = c.Connected, c.Failed, c.Held
	r.NotStarted = r.Planned - c.Started
	r.Failures, r.Closed, r.CloseFailures = orEmpty(c.Failures), orEmpty(c.Closed), orEmpty(c.CloseFailures)
	r.ClosedUnexpected, r.CloseFailed = c.Closed.Sum(), c.CloseFailures.Sum()
	r.Foreign, r.Pings = c.Foreign, c.Pings

	r.Connect = Connect{c.ConnectPace.rates(), c.ConnectLatency.Percentiles()}
	r.Handshake = c.HandshakeLatency.Percentiles()
	r.Echo = Echo{c.Echo, c.EchoPace.rates(), c.EchoLatency.Percentiles()}
	r.Broadcast = Broadcast{publishing.Published, publishing.Failed, c.Broadcast, publishing.Pace.rates(), c.BroadcastLatency.Percentiles()}
	r.Generator = Generator{EmptyBytes: c.Usage.EmptyBytes, HeldBytes: c.Usage.HeldBytes, CPUSeconds: c.Usage.CPUSeconds}
	if c.Held > 0 {
		r.Generator.BytesPerClient = float64(c.Usage.HeldBytes-c.Usage.EmptyBytes) / float64(c.Held)
	}
	for _, behind := range []bool{r.Connect.Behind, r.Echo.Behind, r.Broadcast.Behind} {
		if behind {
			r.Generator.Behind++
		}
	}
	r.Samples = c.Samples
	if r.Samples == nil {
		r.Samples = []Sample{}
	}
}

func orEmpty(c Classes) Classes {
	if c == nil {
		return Classes{}
	}
	return c
}

// Judge holds the report against the expectations.
func (r *Report) Judge(expectations []Expectation) {
	metrics := r.Metrics()
	r.OK = true
	r.Expectations = make([]Outcome, 0, len(expectations))
	for _, e := range expectations {
		o := e.Check(metrics)
		r.OK = r.OK && o.OK
		r.Expectations = append(r.Expectations, o)
	}
}

// Metrics returns the report's numbers and truth values (as 1 and 0) by their
// path in the JSON. Taking them from the JSON keeps the two the same.
func (r *Report) Metrics() map[string]float64 {
	p, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("report: %v", err)) // plain numbers and strings always encode
	}
	var tree map[string]any
	if err := json.Unmarshal(p, &tree); err != nil {
		panic(fmt.Sprintf("report: %v", err))
	}
	metrics := map[string]float64{}
	flatten(metrics, "", tree)
	return metrics
}

func flatten(metrics map[string]float64, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(metrics, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case float64:
		metrics[path] = v
	case bool:
		metrics[path] = 0
		if v {
			metrics[path] = 1
		}
	}
}
