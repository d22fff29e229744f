//go:build linux

package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// onSession runs f on the loop with the only session there is.
func (s *server) onSession(t *testing.T, f func(*session.Session)) {
	t.Helper()
	done := make(chan int, 1)
	s.loop.Post(func() {
		n := 0
		s.loop.Handlers(func(h netpoll.Handler) bool { n++; f(h.(*session.Session)); return true })
		done <- n
	})
	require.Equal(t, 1, <-done)
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, s *server, p *peer)
		want session.Reason
	}{
		"the peer closes":  {func(_ *testing.T, _ *server, p *peer) { p.send(closeFrame(1001, "")) }, session.ReasonPeerClosed},
		"the peer is gone": {func(_ *testing.T, _ *server, p *peer) { p.Close() }, session.ReasonPeerGone},
		"the application closes": {func(t *testing.T, s *server, p *peer) {
			s.onSession(t, func(x *session.Session) { x.Close(4001, "enough") })
			require.Equal(t, "close 4001 enough", p.next())
			p.send(closeFrame(4001, ""))
		}, session.ReasonApplication},
		"the node restarts": {func(t *testing.T, s *server, p *peer) {
			s.onSession(t, func(x *session.Session) { x.Send(frame.Text, []byte("last")); x.Restart() })
			require.Equal(t, `text "last"`, p.next())
			require.Equal(t, "close 1012", p.next())
			p.send(closeFrame(1012, ""))
		}, session.ReasonServiceRestart},
		"the loop ends": {func(_ *testing.T, s *server, _ *peer) { s.loop.Stop() }, session.ReasonShutdown},
		"the peer reads nothing": {func(t *testing.T, s *server, _ *peer) {
			s.onSession(t, func(x *session.Session) {
				for range 1000 {
					x.Send(frame.Binary, make([]byte, 64<<10))
				}
			})
		}, session.ReasonSlowConsumer},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, defaults())
			p := s.open(t)
			c.do(t, s, p)
			require.Eventually(t, func() bool { return len(s.app.ended()) == 1 }, 10*time.Second, time.Millisecond)
			require.Equal(t, c.want, s.app.ended()[0])
			require.EqualValues(t, 1, s.shard.Stats().Closed[c.want].Load())
			require.EqualValues(t, 1, s.shard.Stats().Opened.Load())
			require.Zero(t, s.loop.Stats().QueuedBytes.Load())
		})
	}
}

// A peer that never answers our close frame does not hold the connection.
func TestCloseWaitIsBounded(t *testing.T) {
	s := start(t, defaults())
	p := s.open(t)
	s.onSession(t, func(x *session.Session) { x.Restart() })
	require.Equal(t, "close 1012", p.next())
	require.Equal(t, "eof", p.next())
}

func TestHeartbeat(t *testing.T) {
	cfg := defaults()
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = 300*time.Millisecond, time.Second
	rtts := make(chan time.Duration, 100)
	cfg.ObserveRTT = func(d time.Duration) { rtts <- d }
	s := start(t, cfg)

	alive, silent := s.open(t), s.open(t)
	go func() {
		for {
			h, payload, err := alive.frame()
			if err != nil {
				return
			}
			if h.Opcode == frame.Ping {
				_, _ = alive.Write(masked(true, 0, frame.Pong, string(payload)))
			}
		}
	}()
	start := time.Now()
	for {
		if h, _, err := silent.frame(); err != nil {
			break
		} else {
			require.Equal(t, frame.Ping, h.Opcode)
		}
	}
	took := time.Since(start)
	require.Eventually(t, func() bool { return len(s.app.ended()) > 0 }, 5*time.Second, time.Millisecond)
	require.GreaterOrEqual(t, took, cfg.HeartbeatTimeout-2*netpoll.Tick)
	require.Equal(t, []session.Reason{session.ReasonHeartbeatTimeout}, s.app.ended(), "only the silent one is closed")
	require.Less(t, <-rtts, 500*time.Millisecond)
	require.GreaterOrEqual(t, s.shard.Stats().Pings.Load(), uint64(4))
}

// A client that sends messages is not pinged: it has shown that it lives.
func TestNoPingWhileMessagesCome(t *testing.T) {
	cfg := defaults()
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = time.Second, 3*time.Second
	s := start(t, cfg)
	p := s.open(t)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		p.send(text("x"))
		if got := p.next(); got != `text "x"` {
			require.Contains(t, got, "ping")
			p.next()
		}
	}
	// The first heartbeat may fall before the first message.
	require.LessOrEqual(t, s.shard.Stats().Pings.Load(), uint64(1))
}

// Connections that come together are not pinged together.
// One who sent a message just after a heartbeat was due is silent for almost two
// intervals at the second one after it: it must have been asked before it is given up.
func TestNobodyIsGivenUpUnasked(t *testing.T) {
	cfg := defaults()
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = time.Second, 1200*time.Millisecond
	s := start(t, cfg)
	const clients = 20
	for range clients {
		p := s.open(t)
		p.send(text("x"))
		go func() {
			for {
				h, payload, err := p.frame()
				if err != nil {
					return
				}
				if h.Opcode == frame.Ping {
					_, _ = p.Write(join(masked(true, 0, frame.Pong, string(payload)), text("active from now on")))
				}
			}
		}()
	}
	time.Sleep(4 * cfg.HeartbeatInterval)
	require.Empty(t, s.app.ended())
}

func TestHeartbeatsAreSpread(t *testing.T) {
	cfg := defaults()
	cfg.HeartbeatInterval, cfg.HeartbeatTimeout = 2*time.Second, time.Minute
	s := start(t, cfg)
	const n = 400
	for range n {
		s.open(t)
	}
	// In a tenth of the interval about a tenth is due; were they together it
	// would be none or all.
	var counts []uint64
	last := s.shard.Stats().Pings.Load()
	for range 10 {
		time.Sleep(cfg.HeartbeatInterval / 10)
		now := s.shard.Stats().Pings.Load()
		counts = append(counts, now-last)
		last = now
	}
	for _, c := range counts {
		require.Less(t, c, uint64(n/3), "%v", counts)
	}
}
