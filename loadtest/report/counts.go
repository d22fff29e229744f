package report

import (
	"errors"
	"maps"
	"time"
)

// SamplesPerClass is how many failures of each class are kept in full.
const SamplesPerClass = 5

// Counts are what one worker counted, or several merged.
type Counts struct {
	Started   int64 `json:"started"`   // connections begun
	Connected int64 `json:"connected"` // handshakes completed
	Failed    int64 `json:"failed"`    // begun and not completed
	Open      int64 `json:"open"`      // connected and not closed, now
	Held      int64 `json:"held"`      // open when the closing began

	Failures      Classes `json:"failures,omitempty"`       // of Failed
	Closed        Classes `json:"closed,omitempty"`         // connections that the peer or the network ended
	CloseFailures Classes `json:"close_failures,omitempty"` // closing handshakes that went wrong

	Echo      EchoCounts      `json:"echo"`
	Broadcast BroadcastCounts `json:"broadcast"`
	Foreign   int64           `json:"foreign"` // messages that are not of this run
	Pings     int64           `json:"pings"`   // of the server, answered

	ConnectPace Pace `json:"connect_pace"`
	EchoPace    Pace `json:"echo_pace"`

	ConnectLatency   Latency `json:"connect_latency"`
	HandshakeLatency Latency `json:"handshake_latency"`
	EchoLatency      Latency `json:"echo_latency"`
	BroadcastLatency Latency `json:"broadcast_latency"`

	Samples []Sample `json:"samples,omitempty"`
	Usage   Usage    `json:"usage"`
}

// Classes counts by class.
type Classes map[string]int64

// Add counts one.
func (c *Classes) Add(class string) { c.add(class, 1) }

func (c *Classes) add(class string, n int64) {
	if *c == nil {
		*c = Classes{}
	}
	(*c)[class] += n
}

// Sum returns the total of all classes.
func (c Classes) Sum() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}

func (c *Classes) merge(o Classes) {
	for class, n := range o {
		c.add(class, n)
	}
}

// EchoCounts are the outcomes of the echo round. Each request sent ends as one of
// OK, Corrupted, Timeout and Closed.
type EchoCounts struct {
	Sent       int64 `json:"sent"`
	OK         int64 `json:"ok"`         // answered with exactly the expected bytes
	Corrupted  int64 `json:"corrupted"`  // answered with others
	Timeout    int64 `json:"timeout"`    // not answered in time
	Closed     int64 `json:"closed"`     // the connection ended first
	Unexpected int64 `json:"unexpected"` // answers beyond the one: doubled or late
}

func (e *EchoCounts) merge(o EchoCounts) {
	e.Sent += o.Sent
	e.OK += o.OK
	e.Corrupted += o.Corrupted
	e.Timeout += o.Timeout
	e.Closed += o.Closed
	e.Unexpected += o.Unexpected
}

// BroadcastCounts are over all listening connections. Expected = Delivered + Lost.
type BroadcastCounts struct {
	Listeners   int64 `json:"listeners"`     // connections open when publishing began
	Expected    int64 `json:"expected"`      // listeners × published
	Delivered   int64 `json:"delivered"`     // of Expected
	Lost        int64 `json:"lost"`          // of Expected
	LostClosed  int64 `json:"lost_closed"`   // of Lost: the connection had ended before the closing began
	Duplicated  int64 `json:"duplicated"`    // deliveries beyond a connection's first
	Reordered   int64 `json:"reordered"`     // first deliveries behind a later sequence number
	Corrupted   int64 `json:"corrupted"`     // checksum or sequence number is wrong
	Unconfirmed int64 `json:"unconfirmed"`   // deliveries of broadcasts whose publishing reported failure
	Affected    int64 `json:"affected"`      // connections with anything lost, duplicated or reordered
	AheadOfTime int64 `json:"ahead_of_time"` // deliveries before the time sent: the hosts' clocks differ
}

func (b *BroadcastCounts) merge(o BroadcastCounts) {
	b.Listeners += o.Listeners
	b.Expected += o.Expected
	b.Delivered += o.Delivered
	b.Lost += o.Lost
	b.LostClosed += o.LostClosed
	b.Duplicated += o.Duplicated
	b.Reordered += o.Reordered
	b.Corrupted += o.Corrupted
	b.Unconfirmed += o.Unconfirmed
	b.Affected += o.Affected
	b.AheadOfTime += o.AheadOfTime
}

// Pace holds a schedule's plan against what became of it. Times are since the
// start of the schedule.
type Pace struct {
	Starts   int64         `json:"starts"`
	Intended time.Duration `json:"intended_ns"` // intended time of the last start made
	Actual   time.Duration `json:"actual_ns"`   // when it was made
	WorstLag time.Duration `json:"worst_lag_ns"`
}

// Record notes that a start meant for intended was made at actual.
func (p *Pace) Record(intended, actual time.Duration) {
	p.Starts++
	p.Intended = max(p.Intended, intended)
	p.Actual = max(p.Actual, actual)
	p.WorstLag = max(p.WorstLag, actual-intended)
}

// Merge adds the starts of o to the same schedule.
func (p *Pace) Merge(o Pace) {
	p.Starts += o.Starts
	p.Intended = max(p.Intended, o.Intended)
	p.Actual = max(p.Actual, o.Actual)
	p.WorstLag = max(p.WorstLag, o.WorstLag)
}

// Sample is one failure in full.
type Sample struct {
	Class      string `json:"class"`
	Connection int64  `json:"connection"` // its number in the run; -1 if it is none's
	Target     string `json:"target,omitempty"`
	Error      string `json:"error"`
}

// SampleWanted reports whether there is room for one more of class.
func (c *Counts) SampleWanted(class string) bool {
	n := 0
	for i := range c.Samples {
		if c.Samples[i].Class == class {
			n++
		}
	}
	return n < SamplesPerClass
}

// AddSample keeps s unless there are enough of its class.
func (c *Counts) AddSample(s Sample) {
	if c.SampleWanted(s.Class) {
		c.Samples = append(c.Samples, s)
	}
}

// Usage is what the worker processes took of the machine.
type Usage struct {
	EmptyBytes int64   `json:"empty_bytes"` // resident before the first connection
	HeldBytes  int64   `json:"held_bytes"`  // resident when the closing began
	CPUSeconds float64 `json:"cpu_seconds"` // user and system
}

// Merge adds o to c.
func (c *Counts) Merge(o *Counts) error {
	c.Started += o.Started
	c.Connected += o.Connected
	c.Failed += o.Failed
	c.Open += o.Open
	c.Held += o.Held
	c.Failures.merge(o.Failures)
	c.Closed.merge(o.Closed)
	c.CloseFailures.merge(o.CloseFailures)
	c.Echo.merge(o.Echo)
	c.Broadcast.merge(o.Broadcast)
	c.Foreign += o.Foreign
	c.Pings += o.Pings
	c.ConnectPace.Merge(o.ConnectPace)
	c.EchoPace.Merge(o.EchoPace)
	for _, s := range o.Samples {
		c.AddSample(s)
	}
	c.Usage.EmptyBytes += o.Usage.EmptyBytes
	c.Usage.HeldBytes += o.Usage.HeldBytes
	c.Usage.CPUSeconds += o.Usage.CPUSeconds
	return errors.Join(
		c.ConnectLatency.Merge(o.ConnectLatency),
		c.HandshakeLatency.Merge(o.HandshakeLatency),
		c.EchoLatency.Merge(o.EchoLatency),
		c.BroadcastLatency.Merge(o.BroadcastLatency),
	)
}

// Copy returns counts that share nothing that changes, without the distributions.
func (c *Counts) Copy() Counts {
	d := *c
	d.Failures, d.Closed, d.CloseFailures = maps.Clone(c.Failures), maps.Clone(c.Closed), maps.Clone(c.CloseFailures)
	d.Samples = append([]Sample(nil), c.Samples...)
	d.ConnectLatency, d.HandshakeLatency, d.EchoLatency, d.BroadcastLatency = Latency{}, Latency{}, Latency{}, Latency{}
	return d
}
