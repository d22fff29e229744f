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
	Scenario    string    `json:"scenario,omitempty"` // its name
	Version     string    `json:"version"`
	Seed        uint64    `json:"seed"`
	Started     time.Time `json:"started_at"`
	Duration    float64   `json:"duration"`
	Targets     []string  `json:"targets"`
	Workers     int64     `json:"workers"`
	WorkersLost int64     `json:"workers_lost"`
	Agents      []Agent   `json:"agents,omitempty"`
	AgentsLost  int64     `json:"agents_lost"`
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

	Connect           Connect      `json:"connect"`
	Handshake         Percentiles  `json:"handshake"`
	Echo              Echo         `json:"echo"`
	Broadcast         Broadcast    `json:"broadcast"`
	Reconnect         Reconnect    `json:"reconnect"`
	ReconnectFailures Classes      `json:"reconnect_failures"`
	Resume            ResumeCounts `json:"resume"`
	Stall             StallCounts  `json:"stall"`
	StallClosed       Classes      `json:"stall_closed"`
	Schedules         []Schedule   `json:"schedules"` // of all activities, the ramp first
	Generator         Generator    `json:"generator"`
	Nodes             Nodes        `json:"nodes"`

	Samples      []Sample  `json:"samples"`
	Expectations []Outcome `json:"expectations"`
	OK           bool      `json:"ok"`

	Phases   []Phase `json:"phases"`
	Timeline []Point `json:"timeline"`
}

// Phase is when a phase began, in seconds since the run did. It lasts until the
// next one begins.
type Phase struct {
	Name  string  `json:"name"`
	Start float64 `json:"start"`
}

// Agent is a host that ran a share of the workers.
type Agent struct {
	Address    string  `json:"address"`
	Workers    int64   `json:"workers"`
	Planned    int64   `json:"planned"`        // connections
	ClockAhead float64 `json:"clock_ahead"`    // of the leader's clock, taken into account
	RoundTrip  float64 `json:"round_trip"`     // twice the largest error of ClockAhead
	Lost       string  `json:"lost,omitempty"` // why it was, if it was
}

// Connect is about TCP connections; times run from the intended start.
type Connect struct {
	Rates
	Percentiles
}

// Echo is about echo requests; times run from the intended sending, so that they
// include what a request waited for an earlier one on its connection.
type Echo struct {
	EchoCounts
	Rates
	Percentiles
	// Service runs from the actual sending: what a closed loop would report, which
	// a slow server slows down.
	Service Percentiles `json:"service"`
}

// Broadcast is about deliveries; times run from the sending.
type Broadcast struct {
	Published     int64 `json:"published"`
	PublishFailed int64 `json:"publish_failed"`
	BroadcastCounts
	Rates
	Percentiles
}

// Reconnect is about connections that churn or a storm ended; times run from the
// end to the verified handshake, the intended delay of a storm included.
type Reconnect struct {
	ReconnectCounts
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

// Publishing is the leader's own part of a run.
type Publishing struct {
	Published, Failed int64
}

// Fill sets all that follows from the counts, of which the leader's schedules are a
// part by then.
func (r *Report) Fill(c *Counts, publishing Publishing) {
	r.Connected, r.Failed, r.Held = c.Connected, c.Failed, c.Held
	r.NotStarted = r.Planned - c.Started
	r.Failures, r.Closed, r.CloseFailures = orEmpty(c.Failures), orEmpty(c.Closed), orEmpty(c.CloseFailures)
	r.ClosedUnexpected, r.CloseFailed = c.Closed.Sum(), c.CloseFailures.Sum()
	r.Foreign, r.Pings = c.Foreign, c.Pings

	r.Connect = Connect{c.Paces.rates("connect"), c.ConnectLatency.Percentiles()}
	r.Handshake = c.HandshakeLatency.Percentiles()
	r.Echo = Echo{c.Echo, c.Paces.rates("echo"), c.EchoLatency.Percentiles(), c.EchoService.Percentiles()}
	r.Broadcast = Broadcast{publishing.Published, publishing.Failed, c.Broadcast, c.Paces.rates("broadcast"), c.BroadcastLatency.Percentiles()}
	r.Reconnect = Reconnect{c.Reconnect, c.ReconnectLatency.Percentiles()}
	r.Resume, r.Stall = c.Resume, c.Stall
	r.ReconnectFailures, r.StallClosed = orEmpty(c.ReconnectFailures), orEmpty(c.StallClosed)
	r.Schedules = c.Paces.schedules()
	r.Generator = Generator{EmptyBytes: c.Usage.EmptyBytes, HeldBytes: c.Usage.HeldBytes, CPUSeconds: c.Usage.CPUSeconds}
	if c.Held > 0 {
		r.Generator.BytesPerClient = float64(c.Usage.HeldBytes-c.Usage.EmptyBytes) / float64(c.Held)
	}
	for _, schedule := range r.Schedules {
		if schedule.Behind {
			r.Generator.Behind++
		}
	}
	r.Samples = c.Samples
	if r.Samples == nil {
		r.Samples = []Sample{}
	}
	if r.Nodes.List == nil {
		r.Nodes = SumNodes(nil)
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
