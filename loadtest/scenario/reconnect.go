package scenario

import "time"

// Comeback says how clients whose connection has ended come back: each after a random
// time up to Within (full jitter), and again after failures, each time after a random
// time up to a bound that doubles from Backoff to MaxBackoff.
type Comeback struct {
	Within     time.Duration `yaml:"within" json:"within_ns"`
	Backoff    time.Duration `yaml:"backoff" json:"backoff_ns"`
	MaxBackoff time.Duration `yaml:"max_backoff" json:"max_backoff_ns"`
	GiveUp     time.Duration `yaml:"give_up" json:"give_up_ns"` // since the end of the connection
}

var defaultComeback = Comeback{Within: 5 * time.Second, Backoff: time.Second, MaxBackoff: 30 * time.Second, GiveUp: 2 * time.Minute}

// Reconnect makes clients come back whose connection the server or the network ended.
type Reconnect struct {
	Comeback `yaml:",inline"`
	// Elsewhere makes every attempt to come back, after a storm too, one at the target
	// that follows.
	Elsewhere bool `yaml:"elsewhere,omitempty" json:"elsewhere,omitempty"`
}

// SetDefaults implements defaulter.
func (r *Reconnect) SetDefaults() { *r = Reconnect{Comeback: defaultComeback} }

func (v *validator) comeback(key string, c Comeback) {
	v.span(key+"within", c.Within, 0, maxSpan)
	v.span(key+"backoff", c.Backoff, time.Millisecond, maxSpan)
	v.span(key+"max_backoff", c.MaxBackoff, c.Backoff, maxSpan)
	v.span(key+"give_up", c.GiveUp, c.Within, maxSpan)
}
