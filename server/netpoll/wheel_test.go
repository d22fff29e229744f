//go:build linux

package netpoll

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The wheel against a plain model: every timer fires in the first tick at or
// after its time, whatever was set, moved and stopped in between.
func TestWheelAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := &Loop{}
	var fired []*probe
	timers := make([]*probe, 500)
	due := map[*probe]time.Duration{}
	for i := range timers {
		p := &probe{}
		p.Conn = Conn{loop: l, handler: p}
		p.timer = func() { fired = append(fired, p) }
		timers[i] = p
	}
	for range 5000 {
		p := timers[rng.IntN(len(timers))]
		if rng.IntN(4) == 0 {
			p.StopTimer()
			delete(due, p)
		} else {
			d := time.Duration(rng.Int64N(int64(3 * wheelSlots * Tick)))
			p.SetTimer(d)
			due[p] = l.clock + d
		}
		wait := l.wheel.wait(l.clock)
		if len(due) == 0 {
			require.EqualValues(t, -1, wait)
			continue
		}
		step := time.Duration(rng.Int64N(int64(20 * Tick)))
		before := l.clock
		l.clock += step
		fired = nil
		l.wheel.fire(l.clock)
		for _, p := range fired {
			at, ok := due[p]
			require.True(t, ok, "fired a timer that was not set")
			require.LessOrEqual(t, at, l.clock, "early")
			require.LessOrEqual(t, before+wait, l.clock, "wait promised that nothing is due")
			delete(due, p)
		}
		for _, at := range due {
			require.Greater(t, at, l.clock-Tick, "a timer was missed")
		}
		require.Equal(t, len(due), l.wheel.count)
	}
}

// A timer set by the timer's own handler fires again, later.
func TestTimerSetInItsHandler(t *testing.T) {
	l := startLoop(t, Config{})
	addr := listen(t, l, func() *probe {
		p := &probe{}
		left := 3
		p.data = func([]byte) { p.SetTimer(0) }
		p.timer = func() {
			if left--; left == 0 {
				p.Close(ErrClosed)
				return
			}
			p.SetTimer(0)
		}
		return p
	})
	c := dialTCP(t, addr)
	start := time.Now()
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.Greater(t, time.Since(start), Tick)
}
