package cluster

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// Million says how the run of very many connections goes.
type Million struct {
	Connections int
	Rate        float64       // of the ramp, connections a second
	Hold        time.Duration // with nothing but heartbeats
	Direct      bool          // without a balancer
	Broadcasts  int           // to all, in a phase of their own
	Gap         time.Duration // between them: a million deliveries keep two cores busy for some twenty seconds
	Fault       time.Duration // what each fault gets to be over, and one broadcast to reach everybody after it; 0 for none
	Files       string        // the folder of the report
}

// The phases of the load, in their order.
const (
	phaseRamp = iota
	phaseEcho
	phaseHold
	phaseBroadcast
	phaseFaults // the first of them
)

// returnWithin is the jitter of clients that come back.
const returnWithin = 10 * time.Second

// scenario of the load: it connects, echoes once on each connection, holds, publishes, and holds again for each fault,
// with a broadcast that must reach everybody.
func (m Million) scenario(targets []string, publish string, faults int) scenario.Scenario {
	s := scenario.Default()
	s.Name, s.Connections = "million", m.Connections
	s.Connect.Rate = m.Rate
	s.Timeout = time.Minute
	s.Close = scenario.Close{How: scenario.Abort, Rate: 20_000}
	s.Resume = true
	s.Reconnect = &scenario.Reconnect{Comeback: scenario.Comeback{
		Within: returnWithin, Backoff: time.Second, MaxBackoff: 15 * time.Second, GiveUp: 2 * time.Minute,
	}}
	s.Targets = targets
	s.Publish.URLs = []string{publish}
	echo, broadcast := &scenario.Echo{}, &scenario.Broadcast{}
	echo.SetDefaults()
	broadcast.SetDefaults()
	broadcast.Count, broadcast.Rate = m.Broadcasts, 1/m.Gap.Seconds()
	s.Phases = []scenario.Phase{
		{Echo: echo},
		{Hold: &scenario.Hold{For: m.Hold}},
		{Broadcast: broadcast},
	}
	for range faults {
		during := *broadcast
		during.Count, during.Rate = 2, 1/(m.Fault/2).Seconds()
		s.Phases = append(s.Phases, scenario.Phase{Hold: &scenario.Hold{For: m.Fault}, Broadcast: &during})
	}
	s.Complete()
	return s
}
