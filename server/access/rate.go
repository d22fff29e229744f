package access

import (
	"math/rand/v2"
	"sync"
	"time"
)

// maxSpread bounds how far into the future the refused clients of a storm are
// spread.
const maxSpread = time.Minute

// bucket is a token bucket, kept as the time when it will be full again (the
// generic cell rate algorithm): one number, and nothing to refill. It holds one
// second's worth of tokens.
type bucket time.Duration

// take removes a token at time now, where one comes back each interval. If there
// is none it returns how long until there is.
func (b *bucket) take(now, interval time.Duration) (wait time.Duration, ok bool) {
	full := max(time.Duration(*b), now) + interval
	if over := full - now - max(time.Second, interval); over > 0 {
		return over, false
	}
	*b = bucket(full)
	return 0, true
}

// rate limits what all connections do together.
type rate struct {
	interval time.Duration

	mu      sync.Mutex // guards the following
	tokens  bucket
	backlog time.Duration // when those refused so far will have had their turn
}

func newRate(perSecond int) *rate { return &rate{interval: time.Second / time.Duration(perSecond)} }

// take removes a token. Who gets none is told to wait for a turn of its own: the
// refused of a storm come back at the rate that is allowed, however many they are.
func (r *rate) take(now time.Duration) (wait time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wait, ok = r.tokens.take(now, r.interval); ok {
		return 0, true
	}
	r.backlog = max(r.backlog, now) + r.interval
	if r.backlog-now > maxSpread {
		r.backlog = now + maxSpread
		return jitter(maxSpread), false
	}
	return r.backlog - now, false
}

// jitter returns a random duration below d.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}
