package scenario

import (
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

const (
	// maxConnections bounds a run: a connection's number has ten digits in an
	// echo request.
	maxConnections = 100_000_000
	maxRate        = 10e6      // per second
	maxMessage     = 512 << 10 // bytes
	maxBroadcasts  = 1_000_000
	maxChannels    = 1_000_000
	maxSpan        = 365 * 24 * time.Hour
)

// Validate says which value can't be used, and why, as a *Problem. It asks for a
// complete scenario but for the targets.
func (s *Scenario) Validate() error {
	v := validator{s: s}
	v.count("connections", s.Connections, 1, maxConnections)
	v.connect(s.Connect)
	v.client(s.Client)
	if s.Reconnect != nil {
		v.comeback("reconnect.", s.Reconnect.Comeback)
	}
	v.span("timeout", s.Timeout, 100*time.Millisecond, time.Hour)
	v.oneOf("close.how", s.Close.How, Handshake, Abort)
	v.rate("close.rate", s.Close.Rate)
	for i, p := range s.Phases {
		v.phase(fmt.Sprintf("phases[%d]", i), p)
	}
	v.publishing()
	if v.problem != nil {
		return v.problem
	}
	return nil
}

// validator keeps the first problem.
type validator struct {
	s       *Scenario
	problem *Problem
}

func (v *validator) fail(key string, got any, want string) {
	if v.problem == nil {
		v.problem = problem(key, got, want)
	}
}

func (v *validator) count(key string, n, least, most int) {
	if n < least || n > most {
		v.fail(key, n, fmt.Sprintf("want %d to %d", least, most))
	}
}

func (v *validator) rate(key string, r float64) {
	if !(r >= 0.001 && r <= maxRate) { // so that NaN fails too
		v.fail(key, r, "want 0.001 to 10000000 per second")
	}
}

func (v *validator) span(key string, d, least, most time.Duration) {
	if d < least || d > most {
		v.fail(key, d, fmt.Sprintf("want %s to %s", short(least), short(most)))
	}
}

// share is a part of the connections: above 0, up to all.
func (v *validator) share(key string, x float64) {
	if !(x > 0 && x <= 1) {
		v.fail(key, x, "want a share above 0, at most 1")
	}
}

func (v *validator) oneOf(key, got, a, b string) {
	if got != a && got != b {
		v.fail(key, got, "want "+a+" or "+b)
	}
}

func (v *validator) connect(c Connect) {
	v.oneOf("connect.schedule", c.Schedule, Even, Poisson)
	if len(c.Steps) == 0 {
		v.rate("connect.rate", c.Rate)
		return
	}
	if c.Rate != 0 {
		v.fail("connect.rate", c.Rate, "want it or steps, not both")
	}
	for i, step := range c.Steps {
		key := fmt.Sprintf("connect.steps[%d].", i)
		v.rate(key+"rate", step.Rate)
		if last := i == len(c.Steps)-1; !last || step.For != 0 {
			v.span(key+"for", step.For, time.Millisecond, maxSpan)
		}
	}
}

func (v *validator) phase(key string, p Phase) {
	if p == (Phase{}) {
		v.fail(key, "", "want at least one of echo, broadcast, churn, storm, stall and hold")
	}
	if e := p.Echo; e != nil {
		v.echo(key+".echo.", *e)
	}
	if b := p.Broadcast; b != nil {
		v.broadcast(key+".broadcast.", *b)
	}
	if c := p.Churn; c != nil {
		v.rate(key+".churn.rate", c.Rate)
		v.span(key+".churn.for", c.For, time.Millisecond, maxSpan)
		v.oneOf(key+".churn.schedule", c.Schedule, Even, Poisson)
	}
	if s := p.Storm; s != nil {
		v.share(key+".storm.share", s.Share)
		v.comeback(key+".storm.", s.Comeback)
	}
	if s := p.Stall; s != nil {
		v.share(key+".stall.share", s.Share)
		v.span(key+".stall.for", s.For, time.Millisecond, maxSpan)
	}
	if h := p.Hold; h != nil {
		v.span(key+".hold.for", h.For, 0, maxSpan)
	}
}

func (v *validator) echo(key string, e Echo) {
	v.rate(key+"rate", e.Rate)
	if e.Rounds != 0 && e.For != 0 {
		v.fail(key+"for", e.For, "want it or rounds, not both")
	}
	v.count(key+"rounds", e.Rounds, 0, maxBroadcasts)
	v.span(key+"for", e.For, 0, maxSpan)
	v.oneOf(key+"schedule", e.Schedule, Even, Poisson)
	v.count(key+"size", e.Size, message.MinEchoSize, maxMessage)
	v.messages(key, e)
}

func (v *validator) broadcast(key string, b Broadcast) {
	v.count(key+"count", b.Count, 1, maxBroadcasts)
	v.rate(key+"rate", b.Rate)
	v.count(key+"size", b.Size, message.MinBroadcastSize, maxMessage)
	v.count(key+"channels", b.Channels, 1, maxChannels)
	v.span(key+"late", b.Late, time.Millisecond, maxSpan)
}

// publishing holds the broadcasts of all phases together.
func (v *validator) publishing() {
	first := ""
	total, channels := v.s.Broadcasts()
	for i, p := range v.s.Phases {
		if p.Broadcast == nil {
			continue
		}
		key := fmt.Sprintf("phases[%d].broadcast.", i)
		if first == "" {
			first = key
		}
		if p.Broadcast.Channels != channels {
			v.fail(key+"channels", p.Broadcast.Channels, "want the same in all phases: a connection names its channel when it connects")
		}
	}
	switch {
	case first != "" && len(v.s.Publish.URLs) == 0:
		v.fail(first+"count", total, "want {publish.urls} too, to say where")
	case first == "" && len(v.s.Publish.URLs) > 0:
		v.fail("publish.urls", v.s.Publish.URLs[0], "want {phases.broadcast.count} too, to say how many")
	case total > maxBroadcasts:
		v.fail(first+"count", total, fmt.Sprintf("want at most %d in all phases together", maxBroadcasts))
	}
}

// short prints a whole number of hours as such.
func short(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
