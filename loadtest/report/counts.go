package report

import (
	"errors"
	"maps"
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
	Reconnect ReconnectCounts `json:"reconnect"`
	Resume    ResumeCounts    `json:"resume"`
	Stall     StallCounts     `json:"stall"`
	Foreign   int64           `json:"foreign"` // messages that are not of this run
	Pings     int64           `json:"pings"`   // of the server, answered

	ReconnectFailures Classes `json:"reconnect_failures,omitempty"` // of Reconnect.FailedAttempts
	StallClosed       Classes `json:"stall_closed,omitempty"`       // of Stall.Closed

	Paces Paces `json:"paces,omitempty"`

	ConnectLatency   Latency `json:"connect_latency"`
	HandshakeLatency Latency `json:"handshake_latency"`
	EchoLatency      Latency `json:"echo_latency"`         // from the intended time
	EchoService      Latency `json:"echo_service_latency"` // from the sending
	BroadcastLatency Latency `json:"broadcast_latency"`
	ReconnectLatency Latency `json:"reconnect_latency"` // from the cut

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

// EchoCounts are the outcomes of echo requests. Each one of Sent ends as one of OK,
// Corrupted, Timeout and Closed.
type EchoCounts struct {
	Sent       int64 `json:"sent"`       // their time had come, also those that waited behind an unanswered one
	OK         int64 `json:"ok"`         // answered with exactly the expected bytes
	Corrupted  int64 `json:"corrupted"`  // answered with others
	Timeout    int64 `json:"timeout"`    // not answered in time
	Closed     int64 `json:"closed"`     // the connection ended first
	Unexpected int64 `json:"unexpected"` // answers beyond the one: doubled or late
	Skipped    int64 `json:"skipped"`    // not of Sent: the connection was not open when their time came
}

func (e *EchoCounts) merge(o EchoCounts) {
	e.Sent += o.Sent
	e.OK += o.OK
	e.Corrupted += o.Corrupted
	e.Timeout += o.Timeout
	e.Closed += o.Closed
	e.Unexpected += o.Unexpected
	e.Skipped += o.Skipped
}

// BroadcastCounts are over all listening connections. Expected = Delivered + Lost.
type BroadcastCounts struct {
	Listeners   int64 `json:"listeners"`     // connections open when publishing began, and clients that came later
	Expected    int64 `json:"expected"`      // sum over the listeners of what was published for them
	Delivered   int64 `json:"delivered"`     // of Expected
	Recovered   int64 `json:"recovered"`     // of Delivered: published while the connection was cut
	Lost        int64 `json:"lost"`          // of Expected
	LostClosed  int64 `json:"lost_closed"`   // of Lost: the connection had ended before the closing began
	MissedAway  int64 `json:"missed_away"`   // of Lost: published while the connection was cut
	Late        int64 `json:"late"`          // first deliveries that took longer than the scenario allows
	Unrequired  int64 `json:"unrequired"`    // deliveries just as a client came or went: nobody could require them
	Misrouted   int64 `json:"misrouted"`     // deliveries of another channel than the connection's
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
	b.Recovered += o.Recovered
	b.Lost += o.Lost
	b.LostClosed += o.LostClosed
	b.MissedAway += o.MissedAway
	b.Late += o.Late
	b.Unrequired += o.Unrequired
	b.Misrouted += o.Misrouted
	b.Duplicated += o.Duplicated
	b.Reordered += o.Reordered
	b.Corrupted += o.Corrupted
	b.Unconfirmed += o.Unconfirmed
	b.Affected += o.Affected
	b.AheadOfTime += o.AheadOfTime
}

// ReconnectCounts are over all connections that came back, or were to: those that
// churn or a storm ended, and with Reconnect those that were lost. Cut = OK +
// GivenUp once the phase is over.
type ReconnectCounts struct {
	Cut            int64 `json:"cut"`
	OK             int64 `json:"ok"`              // handshakes completed in their place
	FailedAttempts int64 `json:"failed_attempts"` // tried again after each
	GivenUp        int64 `json:"given_up"`
}

func (r *ReconnectCounts) merge(o ReconnectCounts) {
	r.Cut += o.Cut
	r.OK += o.OK
	r.FailedAttempts += o.FailedAttempts
	r.GivenUp += o.GivenUp
}

// ResumeCounts are what servers said of positions, over all connections and channels, and
// what the clients found wrong with that. Asked = Recovered + TooOld + Unanswered.
type ResumeCounts struct {
	Asked        int64 `json:"asked"`        // channels with a position, of connections that were opened
	Recovered    int64 `json:"recovered"`    // of Asked: the server said that nothing is missing
	TooOld       int64 `json:"too_old"`      // of Asked: the server said that it can't tell, and where it goes on
	Unanswered   int64 `json:"unanswered"`   // of Asked: the connection ended without a word
	LostTold     int64 `json:"lost_told"`    // messages that headers said are lost, or that lie before where the server goes on
	GapsUnknown  int64 `json:"gaps_unknown"` // headers that said that nobody knows how many are
	Skipped      int64 `json:"skipped"`      // offsets that did not come, and nobody said so
	Repeated     int64 `json:"repeated"`     // messages that are not after the one before
	Epochs       int64 `json:"epochs"`       // changes of the epoch between two messages
	Inconsistent int64 `json:"inconsistent"` // headers and words that contradict what was asked or came before
}

func (r *ResumeCounts) merge(o ResumeCounts) {
	r.Asked += o.Asked
	r.Recovered += o.Recovered
	r.TooOld += o.TooOld
	r.Unanswered += o.Unanswered
	r.LostTold += o.LostTold
	r.GapsUnknown += o.GapsUnknown
	r.Skipped += o.Skipped
	r.Repeated += o.Repeated
	r.Epochs += o.Epochs
	r.Inconsistent += o.Inconsistent
}

// StallCounts are over the connections that stopped reading for a while.
type StallCounts struct {
	Stalled int64 `json:"stalled"`
	Closed  int64 `json:"closed"` // by the server, meanwhile or with what it had sent by then
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
	EmptyBytes    int64   `json:"empty_bytes"`    // resident before the first connection
	HeldBytes     int64   `json:"held_bytes"`     // resident when the closing began
	ResidentBytes int64   `json:"resident_bytes"` // resident now
	CPUSeconds    float64 `json:"cpu_seconds"`    // user and system
}

func (u *Usage) merge(o Usage) {
	u.EmptyBytes += o.EmptyBytes
	u.HeldBytes += o.HeldBytes
	u.ResidentBytes += o.ResidentBytes
	u.CPUSeconds += o.CPUSeconds
}

// distributions lists all of c's, for what is done with each.
func (c *Counts) distributions() []*Latency {
	return []*Latency{
		&c.ConnectLatency, &c.HandshakeLatency, &c.EchoLatency, &c.EchoService, &c.BroadcastLatency, &c.ReconnectLatency,
	}
}

// TakeTimes moves c's distributions into o, which loses its own.
func (c *Counts) TakeTimes(o *Counts) {
	to := o.distributions()
	for i, l := range c.distributions() {
		*to[i] = l.Take()
	}
}

// MergeTimes adds the distributions of o, and nothing else of it.
func (c *Counts) MergeTimes(o *Counts) error {
	var errs []error
	from := o.distributions()
	for i, l := range c.distributions() {
		errs = append(errs, l.Merge(*from[i]))
	}
	return errors.Join(errs...)
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
	c.Reconnect.merge(o.Reconnect)
	c.Resume.merge(o.Resume)
	c.Stall.Stalled += o.Stall.Stalled
	c.Stall.Closed += o.Stall.Closed
	c.ReconnectFailures.merge(o.ReconnectFailures)
	c.StallClosed.merge(o.StallClosed)
	c.Foreign += o.Foreign
	c.Pings += o.Pings
	c.Paces.merge(o.Paces)
	for _, s := range o.Samples {
		c.AddSample(s)
	}
	c.Usage.merge(o.Usage)
	return c.MergeTimes(o)
}

// Copy returns counts that share nothing that changes, without the distributions.
func (c *Counts) Copy() Counts {
	d := *c
	d.Failures, d.Closed, d.CloseFailures = maps.Clone(c.Failures), maps.Clone(c.Closed), maps.Clone(c.CloseFailures)
	d.ReconnectFailures, d.StallClosed = maps.Clone(c.ReconnectFailures), maps.Clone(c.StallClosed)
	d.Paces = c.Paces.copy()
	d.Samples = append([]Sample(nil), c.Samples...)
	for _, l := range d.distributions() {
		*l = Latency{}
	}
	return d
}
