//go:build linux

package hub

import "sync/atomic"

// Stats counts what the shards of a hub did.
type Stats struct {
	// UnderWay is how many messages not all shards have delivered, and their size.
	UnderWay, UnderWayBytes atomic.Int64
	// Waiting is how many calls of Publish wait for room now, Waited for how long
	// they did in all, in nanoseconds.
	Waiting, Waited atomic.Int64
	// TailBytes is what all shards remember.
	TailBytes atomic.Int64
	// CatchingUp is how many subscriptions get what they missed, or wait for it.
	CatchingUp atomic.Int64
	// Those who resumed, by where what they missed came from.
	FromTail, FromHistory, TooOld atomic.Uint64
	// FellBehind counts how often a subscriber who was slow went on from the tail.
	FellBehind atomic.Uint64
	// Pages that were fetched from history, and tries that failed.
	Pages, PageErrors atomic.Uint64
}

// Stats returns the hub's counters. Safe from any goroutine.
func (h *Hub) Stats() *Stats { return &h.stats }
