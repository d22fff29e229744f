//go:build linux

package hub

import (
	"sync"
	"time"
)

// Bounds of what may be under way between Publish and the last delivery. They hold
// back whoever publishes when a loop does not keep up. A single message may be larger.
const (
	maxUnderWay      = 4096
	maxUnderWayBytes = 16 << 20
)

// underWay counts the messages that have yet to be delivered.
type underWay struct {
	stats *Stats

	mu       sync.Mutex // guards the following
	room     sync.Cond
	messages int
	bytes    int
	closed   bool
}

func (u *underWay) init(stats *Stats) {
	u.stats = stats
	u.room.L = &u.mu
}

// enter waits for room for a message of that size. It reports false once closed.
func (u *underWay) enter(size int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.full(size) {
		began := time.Now()
		u.stats.Waiting.Add(1)
		for u.full(size) {
			u.room.Wait()
		}
		u.stats.Waiting.Add(-1)
		u.stats.Waited.Add(int64(time.Since(began)))
	}
	if u.closed {
		return false
	}
	u.add(1, size)
	return true
}

func (u *underWay) full(size int) bool {
	return !u.closed && u.messages > 0 && (u.messages >= maxUnderWay || u.bytes+size > maxUnderWayBytes)
}

func (u *underWay) leave(size int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(-1, -size)
	// Who waits is not woken for each single place.
	if u.stats.Waiting.Load() > 0 && u.messages <= maxUnderWay*3/4 && (u.bytes <= maxUnderWayBytes*3/4 || u.messages == 0) {
		u.room.Broadcast()
	}
}

func (u *underWay) add(messages, bytes int) {
	u.messages += messages
	u.bytes += bytes
	u.stats.UnderWay.Store(int64(u.messages))
	u.stats.UnderWayBytes.Store(int64(u.bytes))
}

func (u *underWay) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	u.room.Broadcast()
}
