package broker

import (
	"sync/atomic"
	"time"
)

// Stats counts what a broker did since it was made.
type Stats struct {
	Published     atomic.Uint64
	PublishErrors atomic.Uint64
	Publishing    atomic.Int64  // messages that wait to be published now
	Received      atomic.Uint64 // messages that came from the server, those dropped too
	Dropped       atomic.Uint64 // of them, those that found no room to wait in
	Recovered     atomic.Uint64 // messages delivered from history
	Duplicates    atomic.Uint64 // messages that came again and were not delivered
	Lost          atomic.Uint64 // messages known to be missing
	Reconnects    atomic.Uint64
	Subscriptions atomic.Int64 // channels subscribed to now
	Waiting       atomic.Int64 // bytes of messages that wait to be delivered now
	Gaps          Gaps

	oldest atomic.Int64 // when the message came that is delivered now, in ns since 1970; 0 if none
}

// Gaps counts places where messages of a channel were missing, by how that ended.
type Gaps struct {
	Recovered atomic.Uint64 // history had them
	Lost      atomic.Uint64 // they were counted as lost
	Unknown   atomic.Uint64 // nobody knows whether and how many were lost
}

// Lag is for how long the message that is delivered now has waited for it, 0 if none does.
func (s *Stats) Lag() time.Duration {
	at := s.oldest.Load()
	if at == 0 {
		return 0
	}
	return max(0, time.Duration(time.Now().UnixNano()-at))
}
