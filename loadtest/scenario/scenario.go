// Package scenario says what a run does: how many connections to which targets, at
// which pace, through which phases, and what must hold in the end. It is written as
// a YAML file or as flags; all else in wsload reads this one form.
package scenario

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/pace"
)

// Scenario of a run. Rates are per second, over all workers together.
type Scenario struct {
	Name        string        `yaml:"name,omitempty" json:"name,omitempty"`
	Targets     []string      `yaml:"targets,omitempty" json:"targets"` // used in turn
	Connections int           `yaml:"connections" json:"connections"`
	Connect     Connect       `yaml:"connect" json:"connect"`
	Timeout     time.Duration `yaml:"timeout" json:"timeout_ns"` // for each of: connecting, handshake, echo, last broadcast
	Client      `yaml:",inline"`
	Reconnect   *Reconnect `yaml:"reconnect,omitempty" json:"reconnect,omitempty"` // nil: who loses its connection stays away
	Publish     Publish    `yaml:"publish,omitempty" json:"publish"`
	Phases      []Phase    `yaml:"phases,omitempty" json:"phases,omitempty"` // one after the other
	Close       Close      `yaml:"close,omitempty" json:"close"`
	Seed        uint64     `yaml:"seed,omitempty" json:"seed,omitempty"`     // 0 for a random one
	Expect      []string   `yaml:"expect,omitempty" json:"expect,omitempty"` // in place of the defaults of the same names
}

// The schedules.
const (
	Even    = "even"    // equal gaps
	Poisson = "poisson" // exponential gaps, as independent clients make them
)

// Connect is the ramp.
type Connect struct {
	Rate     float64 `yaml:"rate,omitempty" json:"rate,omitempty"`   // 0 if there are steps
	Steps    []Step  `yaml:"steps,omitempty" json:"steps,omitempty"` // the last one lasts
	Schedule string  `yaml:"schedule" json:"schedule"`
}

// Step is a rate that holds for a while.
type Step struct {
	Rate float64       `yaml:"rate" json:"rate"`
	For  time.Duration `yaml:"for" json:"for_ns"`
}

// Profile returns the ramp's rates.
func (c Connect) Profile() pace.Profile {
	if len(c.Steps) == 0 {
		return pace.Constant(c.Rate)
	}
	var p pace.Profile
	for _, s := range c.Steps {
		p = append(p, pace.Step(s))
	}
	return p
}

// Publish says where broadcasts are handed in.
type Publish struct {
	URLs         []string `yaml:"urls,omitempty" json:"urls,omitempty"`
	PasswordFile string   `yaml:"password_file,omitempty" json:"password_file,omitempty"`
}

// Close is the end of the run.
type Close struct {
	How  string  `yaml:"how,omitempty" json:"how"`
	Rate float64 `yaml:"rate,omitempty" json:"rate"` // 0 for ten times the ramp's
}

// The ways to close.
const (
	Handshake = "handshake"
	Abort     = "abort" // with a reset
)

// Phase is a set of activities that run at the same time. It ends with the last of
// them.
type Phase struct {
	Echo      *Echo      `yaml:"echo,omitempty" json:"echo,omitempty"`
	Broadcast *Broadcast `yaml:"broadcast,omitempty" json:"broadcast,omitempty"`
	Churn     *Churn     `yaml:"churn,omitempty" json:"churn,omitempty"`
	Storm     *Storm     `yaml:"storm,omitempty" json:"storm,omitempty"`
	Stall     *Stall     `yaml:"stall,omitempty" json:"stall,omitempty"`
	Hold      *Hold      `yaml:"hold,omitempty" json:"hold,omitempty"`
}

// Echo sends messages and compares the replies. Messages go over the open
// connections in turn, at intended times that no reply changes.
type Echo struct {
	Rate     float64       `yaml:"rate,omitempty" json:"rate"` // 0 for the ramp's
	Rounds   int           `yaml:"rounds,omitempty" json:"rounds,omitempty"`
	For      time.Duration `yaml:"for,omitempty" json:"for_ns,omitempty"` // in place of rounds
	Schedule string        `yaml:"schedule" json:"schedule"`
	Size     int           `yaml:"size" json:"size"` // of a message, in bytes
	// Message is a template: {{.}} stands for text that no other message has. In
	// Reply it stands for the message, {{.Unique}} for the unique text in it.
	Message     string `yaml:"message" json:"message"`
	MessageFile string `yaml:"message_file,omitempty" json:"message_file,omitempty"` // templates, one a line, taken in turn
	Reply       string `yaml:"reply" json:"reply"`
	Binary      bool   `yaml:"binary,omitempty" json:"binary,omitempty"` // messages, not text
	// Messages are what MessageFile holds, once it is read.
	Messages [][]byte `yaml:"-" json:"messages,omitempty"`
}

// Broadcast publishes, and counts on every connection what arrives.
type Broadcast struct {
	Count int     `yaml:"count" json:"count"`
	Rate  float64 `yaml:"rate" json:"rate"`
	Size  int     `yaml:"size" json:"size"` // in bytes
	// With more than one channel, connection i listens to channel i mod
	// Channels, and broadcasts go to the channels in turn.
	Channels int           `yaml:"channels,omitempty" json:"channels"`
	Late     time.Duration `yaml:"late,omitempty" json:"late_ns"` // a delivery that takes longer is late; 0 for the time-out
}

// Churn ends connections by the closing handshake, Rate a second, the longest
// connected first, and puts a new client in the place of each.
type Churn struct {
	Rate     float64       `yaml:"rate" json:"rate"`
	For      time.Duration `yaml:"for" json:"for_ns"`
	Schedule string        `yaml:"schedule" json:"schedule"`
}

// Storm resets connections all at once. Their clients come back.
type Storm struct {
	Share    float64 `yaml:"share" json:"share"` // of the open connections
	Comeback `yaml:",inline"`
}

// Stall makes clients stop reading for a while.
type Stall struct {
	Share float64       `yaml:"share" json:"share"` // of the open connections
	For   time.Duration `yaml:"for" json:"for_ns"`
	// ExpectClosed says whether the server is to close them meanwhile. Not given,
	// it may do as it likes.
	ExpectClosed *bool `yaml:"expect_closed,omitempty" json:"expect_closed,omitempty"`
}

// Hold keeps the connections, which answer pings meanwhile.
type Hold struct {
	For time.Duration `yaml:"for,omitempty" json:"for_ns,omitempty"` // 0 for until interrupted
}

// Default returns a scenario of which only the targets are missing.
func Default() Scenario {
	return Scenario{
		Connections: 100,
		Connect:     Connect{Rate: 1000, Schedule: Even},
		Client:      Client{TokenIn: InHeader},
		Timeout:     30 * time.Second,
		Close:       Close{How: Handshake},
	}
}

// The defaults of activities, for the decoder and for flags.

// SetDefaults implements defaulter.
func (e *Echo) SetDefaults() {
	*e = Echo{Schedule: Even, Size: 128, Message: DefaultMessage, Reply: "Server received: {{.}}"}
}

// SetDefaults implements defaulter.
func (b *Broadcast) SetDefaults() {
	*b = Broadcast{Count: 1, Rate: 1, Size: message.MinBroadcastSize, Channels: 1}
}

// SetDefaults implements defaulter.
func (c *Churn) SetDefaults() { *c = Churn{Rate: 10, For: 30 * time.Second, Schedule: Even} }

// SetDefaults implements defaulter.
func (s *Storm) SetDefaults() { *s = Storm{1, defaultComeback} }

// SetDefaults implements defaulter.
func (s *Stall) SetDefaults() { *s = Stall{Share: 0.01, For: 20 * time.Second} }

// Complete fills in what follows from other values.
func (s *Scenario) Complete() {
	rate := s.Connect.Rate
	if n := len(s.Connect.Steps); n > 0 {
		rate = s.Connect.Steps[n-1].Rate
	}
	if s.Close.Rate == 0 {
		s.Close.Rate = min(10*rate, maxRate)
	}
	for _, p := range s.Phases {
		if e := p.Echo; e != nil {
			if e.Rate == 0 {
				e.Rate = rate
			}
			if e.Rounds == 0 && e.For == 0 {
				e.Rounds = 1
			}
		}
		if b := p.Broadcast; b != nil && b.Late == 0 {
			b.Late = s.Timeout
		}
	}
}

// Broadcasts returns how many broadcasts the whole scenario publishes, and over
// how many channels.
func (s *Scenario) Broadcasts() (count, channels int) {
	channels = 1
	for _, p := range s.Phases {
		if p.Broadcast != nil {
			count += p.Broadcast.Count
			channels = p.Broadcast.Channels
		}
	}
	return count, channels
}

// Name returns the activities' names in their order here, joined by "+".
func (p Phase) Name() string {
	name := ""
	for _, a := range []struct {
		name  string
		there bool
	}{
		{"echo", p.Echo != nil}, {"broadcast", p.Broadcast != nil}, {"churn", p.Churn != nil},
		{"storm", p.Storm != nil}, {"stall", p.Stall != nil}, {"hold", p.Hold != nil},
	} {
		if a.there {
			if name != "" {
				name += "+"
			}
			name += a.name
		}
	}
	return name
}
