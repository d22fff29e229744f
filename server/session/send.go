//go:build linux

package session

import (
	"errors"
	"slices"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// flushBytes bounds what answers to one read may pile up before they are written.
const flushBytes = 64 << 10

// Sending reports whether messages are still sent: from Open until the closing
// handshake begins.
func (s *Session) Sending() bool { return s.state == open && !s.Closed() }

// Send sends one message, the parts in a row. It does nothing once the session
// is closing. A peer that does not take its messages is closed
// (ReasonSlowConsumer), never waited for.
func (s *Session) Send(op frame.Opcode, parts ...[]byte) {
	if !s.Sending() {
		return
	}
	sh := s.shard
	payload := parts[0]
	if len(parts) > 1 {
		sh.join = appendAll(sh.join[:0], parts)
		payload = sh.join
	}
	sh.stats.MessagesSent.Add(1)
	if sh.current != s {
		sh.single = s.encoder(len(payload)).encode(sh.single[:0], int(op), payload)
		s.write(sh.single)
	} else {
		sh.out = s.encoder(len(payload)).encode(sh.out, int(op), payload)
		if len(sh.out) >= flushBytes {
			s.flushOut()
		}
	}
	if max(cap(sh.join), cap(sh.single)) > keepScratch {
		sh.join, sh.single = nil, nil
	}
}

// appendAll grows dst once for all parts.
func appendAll(dst []byte, parts [][]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	dst = slices.Grow(dst, n)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// SendShared sends a message framed by Framer, which all its receivers share. It may be
// larger than the send queue if nothing waits for the peer.
func (s *Session) SendShared(m *frame.Shared) {
	if !s.Sending() {
		return
	}
	s.flushOutIfCurrent()
	s.shard.stats.MessagesSent.Add(1)
	s.writeShared(m)
}

// form returns the frames that s takes.
func (s *Session) form(m *frame.Shared) []byte {
	if s.deflate && m.Deflated != nil {
		return m.Deflated
	}
	return m.Plain
}

// Close begins the closing handshake with code and a reason of at most 123 bytes
// (more is cut): what was sent before is still delivered.
func (s *Session) Close(code frame.CloseCode, reason string) {
	s.shut(ReasonApplication, code, reason)
}

// Restart begins the closing handshake with 1012: the node goes, the client
// should come back to another.
func (s *Session) Restart() {
	s.shut(ReasonServiceRestart, frame.CloseServiceRestart, "")
}

// fail closes for what the peer sent, with the code that belongs to the reason.
// There is no use in reading on.
func (s *Session) fail(why Reason, text string) {
	s.shut(why, closeCodes[why], text)
	if !s.Closed() {
		s.discard()
	}
}

func (s *Session) shut(why Reason, code frame.CloseCode, text string) {
	if s.state != open || s.Closed() {
		return
	}
	s.flushOutIfCurrent()
	if s.Closed() {
		return
	}
	s.state = closing
	s.reason = why
	s.unclaim() // the peer's answer to come must be read
	s.SetTimer(closeWait)
	s.write(frame.AppendControl(nil, frame.Close, frame.ClosePayload(code, text)))
}

// discard sends FIN and swallows what still comes, so that the peer reads the
// last words: closing a socket with unread data would reset them away.
func (s *Session) discard() {
	s.dropPartial()
	s.flushOutIfCurrent()
	if s.Closed() {
		return
	}
	if s.state == handshaking {
		s.state = refused
	} else {
		s.state = discarding
	}
	s.SetTimer(closeWait)
	if s.Queued() == 0 {
		s.ShutdownWrite()
	}
}

// abort ends the session without a word, of a peer that is gone or does not read: by a
// reset, after which the kernel keeps nothing of it. After a close it would hold what
// was sent, up to megabytes, and try for minutes to get it across.
func (s *Session) abort(why Reason) {
	if s.reason == reasonUndecided {
		s.reason = why
	}
	s.Conn.Abort(netpoll.ErrClosed)
}

func (s *Session) write(p []byte) { s.written(s.Write(p)) }

func (s *Session) writeShared(m *frame.Shared) { s.written(s.WriteShared(s.form(m))) }

// written ends the session of a peer that does not take what is written to it.
func (s *Session) written(err error) {
	if errors.Is(err, netpoll.ErrSlowConsumer) {
		s.abort(ReasonSlowConsumer)
	}
}

func (s *Session) flushOutIfCurrent() {
	if s.shard.current == s {
		s.flushOut()
	}
}

// flushOut writes the answers that piled up while data was handled.
func (s *Session) flushOut() {
	sh := s.shard
	if len(sh.out) == 0 {
		return
	}
	out := sh.out
	sh.out = nil // a close during the write must not write it again
	if !s.Closed() {
		s.write(out)
	}
	if cap(out) <= keepScratch {
		sh.out = out[:0]
	}
}
