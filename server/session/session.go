//go:build linux

package session

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

type state uint8

const (
	handshaking state = iota
	open
	closing    // our close frame is out; the peer's is awaited
	discarding // nothing from the peer counts any more; it is given time to read
	refused    // as discarding, of a session that was never open
)

// pulse is what is known of a peer since the last heartbeat was due.
type pulse uint8

const (
	quiet  pulse = iota // no message came
	active              // a message came
	pinged              // a ping is out, and nothing came since
)

// closeWait is how long a peer may take for its part of the closing handshake,
// or for reading why it was refused.
const closeWait = 5 * time.Second

// Session is one WebSocket connection, made to be embedded in the application's
// own type. An idle one has no buffer and no goroutine. Only its loop may touch
// it.
type Session struct {
	netpoll.Conn
	shard   *Shard
	handler Handler
	partial *partial // nil unless part of a frame or message has arrived
	heard   uint32   // when something last came from the peer, in ticks of the loop's clock
	expires uint32   // when the session must end, in seconds of Unix time; 0 for never
	hold    Hold     // what the gate remembers of the peer
	state   state
	reason  Reason // why this side ends the session; reasonUndecided until it does
	pulse   pulse
	deflate bool // permessage-deflate was negotiated
}

// Shard returns the shard that s lives on.
func (s *Session) Shard() *Shard { return s.shard }

// Handler returns what Accept was given for s: the application's own type.
func (s *Session) Handler() Handler { return s.handler }

func (s *Session) ticks() uint32 { return uint32(s.shard.loop.Now() / netpoll.Tick) }

func (s *Session) setTimer(d time.Duration) {
	if d > 0 {
		s.SetTimer(d)
	} else {
		s.StopTimer()
	}
}

// opened starts the session after its handshake.
func (s *Session) opened(r *http.Request) {
	s.state, s.reason, s.heard = open, reasonUndecided, s.ticks()
	// The first heartbeat comes at a random time within the interval and keeps
	// that phase: connections that arrive together are not pinged together.
	if interval := s.shard.srv.cfg.HeartbeatInterval; interval > 0 {
		s.setHeartbeat(1 + rand.N(interval))
	} else {
		s.setHeartbeat(0)
	}
	s.shard.stats.Opened.Add(1)
	s.shard.srv.sessions.Add(1)
	s.handler.Open(s, r)
}

// OnOpen implements netpoll.Handler.
func (s *Session) OnOpen() {}

// Drainer is a Handler that paces what it sends by what the peer takes.
type Drainer interface {
	// Drained says that all that was sent has been taken, after some of it had to
	// wait: Queued was above 0. Called on the loop.
	Drained(s *Session)
}

// OnDrained implements netpoll.Drainer.
func (s *Session) OnDrained() {
	if d, ok := s.handler.(Drainer); ok && s.Sending() {
		d.Drained(s)
	}
}

// OnData implements netpoll.Handler. What the handler sends meanwhile goes out in
// one write at the end.
func (s *Session) OnData(p []byte) {
	sh := s.shard
	s.heard = s.ticks()
	if s.pulse == pinged {
		s.pulse = quiet
	}
	sh.current = s
	switch s.state {
	case handshaking:
		s.handshake(p)
	case open, closing:
		s.frames(p)
	case discarding, refused:
	}
	sh.current = nil
	s.flushOut()
}

// OnTimer implements netpoll.Handler.
func (s *Session) OnTimer() {
	switch s.state {
	case handshaking:
		s.refuse(errRefused{RejectTimeout, "the request did not arrive in time"})
	case open:
		if !s.expire() && !s.stillWaiting() {
			s.heartbeat()
		}
	case closing, discarding, refused:
		s.Conn.Close(netpoll.ErrClosed)
	}
}

// heartbeat is due once an interval, at the session's own phase.
func (s *Session) heartbeat() {
	cfg := &s.shard.srv.cfg
	if cfg.HeartbeatInterval == 0 {
		s.setHeartbeat(0) // the timer was that of an expiry, and the wall clock has been set back
		return
	}
	silent := time.Duration(s.ticks()-s.heard) * netpoll.Tick
	limited := cfg.HeartbeatTimeout > 0
	if limited && silent >= cfg.HeartbeatTimeout && s.pulse == pinged {
		s.abort(ReasonHeartbeatTimeout)
		return
	}
	// Nobody is given up who was not asked: one who was active is pinged, too, if the
	// next heartbeat may find it silent for the timeout.
	last := limited && silent+cfg.HeartbeatInterval+netpoll.Tick >= cfg.HeartbeatTimeout
	if s.pulse != active || last {
		s.ping()
		s.pulse = pinged
	} else {
		s.pulse = quiet
	}
	s.setHeartbeat(cfg.HeartbeatInterval)
}

// ping sends the time as its payload. It comes back with the pong, so that round trips
// are measured without keeping anything here.
func (s *Session) ping() {
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(time.Since(processStart)))
	s.shard.stats.Pings.Add(1)
	s.shard.single = frame.AppendControl(s.shard.single[:0], frame.Ping, stamp[:])
	// Behind a full queue it would not be heard; a failure has closed the session.
	_ = s.Write(s.shard.single)
}

var processStart = time.Now()

func (s *Session) pong(payload []byte) {
	observe := s.shard.srv.cfg.ObserveRTT
	if observe == nil || len(payload) != 8 {
		return // an unsolicited pong is allowed and means nothing, RFC 6455 section 5.5.3
	}
	rtt := time.Since(processStart) - time.Duration(binary.BigEndian.Uint64(payload))
	if rtt >= 0 && rtt < time.Hour {
		observe(rtt)
	}
}

// OnClose implements netpoll.Handler.
func (s *Session) OnClose(err error) {
	sh := s.shard
	sh.srv.open.Add(-1)
	s.dropPartial()
	if s.deflate {
		sh.srv.deflating.Add(-1)
	}
	if gate := sh.srv.cfg.Gate; gate != nil && s.hold != 0 {
		gate.Leave(s.hold)
	}
	switch s.state {
	case handshaking:
		sh.reject(RejectGone)
		return
	case refused:
		return
	}
	sh.srv.sessions.Add(-1)
	if s.reason == reasonUndecided {
		s.reason = ReasonPeerGone
		if errors.Is(err, netpoll.ErrClosed) {
			s.reason = ReasonShutdown
		}
	}
	sh.stats.Closed[s.reason].Add(1)
	s.handler.Close(s, s.reason)
}
