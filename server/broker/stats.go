package broker

import "sync/atomic"

// Stats counts what a broker did since it was made.
type Stats struct {
	Published     atomic.Uint64
	PublishErrors atomic.Uint64
	Received      atomic.Uint64
	Reconnects    atomic.Uint64
	Subscriptions atomic.Int64 // channels subscribed to now
}
