//go:build linux

package session

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Hold is what a Gate remembers of a connection, in the connection: opaque to the
// session, 0 for nothing.
type Hold uint32

// Gate decides who may connect. Its methods are called on the loops and must not
// block. Their errors refuse the connection: a *Refusal with its own answer, any
// other because the peer is gone.
type Gate interface {
	// Arrive is asked about a connection that has just been accepted.
	Arrive(peer *netpoll.Conn) (Hold, error)
	// Preamble is asked about the first bytes p until the request is whole, and
	// returns how many of them come before the request: -1 while that cannot be
	// said yet.
	Preamble(hold Hold, p []byte) (n int, next Hold, err error)
	// Admit is asked about a well-formed handshake. next replaces the hold, also
	// on refusal. The session ends at expires, unless that is zero.
	Admit(hold Hold, r *http.Request) (next Hold, expires time.Time, err error)
	// Leave is told of the end of every connection that has a hold.
	Leave(hold Hold)
}

// Refusal is the error that refuses a handshake.
type Refusal struct {
	Why  Rejection
	Text string // for the client
	// RetryAfter is what the client is told to wait. 0 takes, where a status calls
	// for it, Config.RetryAfter with as much again of jitter.
	RetryAfter time.Duration
	// Challenge is the value of WWW-Authenticate, if any.
	Challenge string
}

func (r *Refusal) Error() string { return r.Text }

// refusalOf returns the refusal that err is or stands for.
func refusalOf(err error) *Refusal {
	var plain errRefused
	refusal := new(Refusal)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &plain):
		return &Refusal{Why: plain.why, Text: plain.text}
	}
	return &Refusal{Why: RejectMalformed, Text: err.Error()}
}

// retryAfter is in whole seconds, rounded up. Jitter keeps those who were refused
// together from coming back together.
func (sh *Shard) retryAfter(r *Refusal) int {
	wait := r.RetryAfter
	if wait == 0 {
		wait = max(sh.srv.cfg.RetryAfter, time.Second)
		wait += rand.N(wait)
	}
	return int(math.Ceil(wait.Seconds()))
}

// arrive asks the gate about the new connection, and reports whether it may stay
// for its handshake.
func (s *Session) arrive() bool {
	gate := s.shard.srv.cfg.Gate
	if gate == nil {
		return true
	}
	var err error
	if s.hold, err = gate.Arrive(&s.Conn); err != nil {
		s.drop(err)
		return false
	}
	return true
}

// drop refuses at once: nothing more is read of the peer, and if it has sent
// something the answer may be lost.
func (s *Session) drop(err error) {
	refusal := &Refusal{Why: RejectGone}
	errors.As(err, &refusal)
	s.shard.reject(refusal.Why)
	s.state = refused
	if refusal.Why.Status() != 0 {
		_ = s.Write(s.shard.refusal(refusal)) // the connection ends either way
	}
	s.Conn.Close(netpoll.ErrClosed)
}

// preamble takes what comes before the request off p. It reports false if the
// request cannot be looked at: not yet, or never.
func (s *Session) preamble(p []byte) (rest []byte, ok bool) {
	gate := s.shard.srv.cfg.Gate
	if gate == nil || s.hold == 0 {
		return p, true
	}
	n, next, err := gate.Preamble(s.hold, p)
	s.hold = next
	switch {
	case err != nil && refusalOf(err).Why.Status() == 0:
		s.drop(err)
		return nil, false
	case err != nil:
		s.refuse(err)
		return nil, false
	case n < 0:
		s.keep(p)
		return nil, false
	case n > 0 && s.partial != nil:
		s.partial.buf = p[n:]
	}
	return p[n:], true
}

// keep keeps what has arrived of the request's head for later.
func (s *Session) keep(p []byte) {
	if s.partial == nil {
		s.partial = &partial{buf: bytes.Clone(p)}
	}
}

// admit asks the gate about the handshake.
func (s *Session) admit(r *http.Request) error {
	gate := s.shard.srv.cfg.Gate
	if gate == nil {
		return nil
	}
	next, expires, err := gate.Admit(s.hold, r)
	s.hold = next
	if err == nil && !expires.IsZero() {
		s.expires = uint32(min(max(expires.Unix(), 1), math.MaxUint32))
	}
	return err
}

// untilExpiry returns how long the session may still live, and whether that is
// limited. It goes by the wall clock: the loop's own leaves stalls out.
func (s *Session) untilExpiry() (time.Duration, bool) {
	if s.expires == 0 {
		return 0, false
	}
	return max(0, time.Until(time.Unix(int64(s.expires), 0))), true
}

// setHeartbeat sets the timer for the next heartbeat in d (0 for none), or for the
// expiry if that comes first.
func (s *Session) setHeartbeat(d time.Duration) {
	if left, limited := s.untilExpiry(); limited && (d == 0 || left < d) {
		s.SetTimer(left)
		return
	}
	s.setTimer(d)
}

// expire closes the session if its time has come.
func (s *Session) expire() bool {
	left, limited := s.untilExpiry()
	if !limited || left > 0 {
		return false
	}
	s.shut(ReasonTokenExpired, frame.ClosePolicy, "token expired")
	return true
}
