//go:build linux

package session

import (
	"errors"
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// partial holds what has arrived of something that is not whole: the head of a
// request, a frame, or the fragments of a message.
type partial struct {
	buf []byte // bytes not yet parsed
	msg []byte // room for a header, then the unmasked fragments so far; nil outside a fragmented message
	op  frame.Opcode
	rsv byte

	waits   bool // for room; the peer is not read meanwhile
	claimed int  // bytes, of the shard's intake
}

// frames works through p, together with what was left of earlier data.
func (s *Session) frames(p []byte) {
	if s.partial != nil && len(s.partial.buf) > 0 {
		s.partial.buf = s.shard.buffers.extend(s.partial.buf, p)
		p = s.partial.buf
	}
	rest := s.parse(p)
	switch {
	case s.Closed() || s.state == discarding:
		s.dropPartial()
		return
	case len(rest) > 0:
		if s.partial == nil {
			s.partial = &partial{}
		}
		if len(rest) != len(s.partial.buf) { // else it is there already: a long frame may come byte by byte
			s.partial.buf = s.shard.buffers.keep(s.partial.buf, rest)
		}
	case s.partial != nil:
		s.shard.buffers.give(s.partial.buf)
		s.partial.buf = nil
		if s.partial.msg == nil {
			s.dropPartial()
			return
		}
	}
	s.claim()
}

// dropPartial lets go of what has arrived of something that will not be whole, or was
// handed on.
func (s *Session) dropPartial() {
	s.unclaim()
	s.partial = nil
}

// parse handles every whole frame in p and returns what is left. Frames that must
// fail are failed as soon as their header is there.
func (s *Session) parse(p []byte) (rest []byte) {
	for !s.Closed() && (s.state == open || s.state == closing) {
		h, size, err := frame.Parse(p)
		if err != nil {
			s.fail(ReasonProtocolError, err.Error())
			return nil
		}
		if size == 0 {
			return p
		}
		if why, text := s.judge(h); text != "" {
			s.fail(why, text)
			return nil
		}
		if h.Length > uint64(len(p)-size) {
			return p
		}
		whole := p[:size+int(h.Length)]
		p = p[len(whole):]
		if h.Opcode.IsControl() {
			s.control(h, whole[size:])
		} else if s.state == open {
			s.data(h, whole, size)
		}
	}
	return nil
}

// judge holds a header against RFC 6455 sections 5.1 to 5.5 and the read limit.
// The text is empty when it may pass.
func (s *Session) judge(h frame.Header) (Reason, string) {
	fragmented := s.partial != nil && s.partial.msg != nil
	switch {
	case !h.Masked:
		return ReasonProtocolError, "frame is not masked"
	case h.RSV != 0 && !s.mayDeflate(h):
		return ReasonProtocolError, "reserved bit is set"
	case !h.Opcode.Known():
		return ReasonProtocolError, "opcode is reserved"
	case h.Opcode.IsControl() && !h.Final:
		return ReasonProtocolError, "control frame is fragmented"
	case h.Opcode.IsControl() && h.Length > frame.MaxControlPayload:
		return ReasonProtocolError, "control frame is longer than 125 bytes"
	case h.Opcode.IsControl():
		return 0, ""
	case h.Opcode == frame.Continuation && !fragmented:
		return ReasonProtocolError, "continuation without a message"
	case h.Opcode != frame.Continuation && fragmented:
		return ReasonProtocolError, "new message within a fragmented one"
	}
	length, rsv, limit := h.Length, h.RSV, uint64(s.shard.srv.cfg.ReadLimit)
	if fragmented {
		length += uint64(len(s.partial.msg) - frame.MaxHeaderSize)
		rsv = s.partial.rsv
	}
	if rsv != 0 {
		limit = deflatedLimit(limit)
	}
	if length > limit {
		return ReasonTooBig, "message is too big"
	}
	return 0, ""
}

// control answers control frames, here rather than in gorilla: they may come
// between the fragments of a message that is not whole yet.
func (s *Session) control(h frame.Header, payload []byte) {
	frame.Mask(h.Key, payload)
	switch h.Opcode {
	case frame.Ping:
		if s.state == open {
			s.reply(frame.Pong, payload)
		}
	case frame.Pong:
		s.pong(payload)
	case frame.Close:
		s.peerCloses(payload)
	}
}

// peerCloses answers the peer's close frame, or takes it as the answer to ours.
// The server closes the connection first (RFC 6455 section 7.1.1).
func (s *Session) peerCloses(payload []byte) {
	if s.state == closing {
		s.Conn.Close(netpoll.ErrClosed)
		return
	}
	code, _, ok := frame.ParseClose(payload)
	if !ok {
		why := ReasonProtocolError
		if code == frame.CloseInvalidPayload {
			why = ReasonInvalidPayload
		}
		s.fail(why, "malformed close frame")
		return
	}
	s.shut(ReasonPeerClosed, code, "")
	if !s.Closed() {
		s.CloseFlushed()
	}
}

// reply adds a control frame to what goes out with the answers to this read.
func (s *Session) reply(op frame.Opcode, payload []byte) {
	sh := s.shard
	sh.out = frame.AppendControl(sh.out, op, payload)
	if len(sh.out) >= flushBytes {
		s.flushOut()
	}
}

// data takes a data frame, whole from its header on.
func (s *Session) data(h frame.Header, whole []byte, size int) {
	if h.Final && h.Opcode != frame.Continuation {
		s.message(whole, h.RSV)
		return
	}
	if s.partial == nil {
		s.partial = &partial{}
	}
	m := s.partial
	if m.msg == nil {
		m.op, m.rsv = h.Opcode, h.RSV
		m.msg = make([]byte, frame.MaxHeaderSize, frame.MaxHeaderSize+len(whole))
	}
	// Fragments are unmasked and joined as they come: kept as frames, empty or
	// tiny ones could cost many times the read limit.
	start := len(m.msg)
	m.msg = append(m.msg, whole[size:]...)
	frame.Mask(h.Key, m.msg[start:])
	if !h.Final {
		return
	}
	joined := m.msg
	m.msg = nil
	var head [frame.MaxHeaderSize]byte
	header := frame.AppendHeader(head[:0], frame.Header{
		Final: true, RSV: m.rsv, Opcode: m.op, Masked: true, Length: uint64(len(joined) - frame.MaxHeaderSize),
	})
	from := frame.MaxHeaderSize - len(header)
	copy(joined[from:], header)
	s.message(joined[from:], m.rsv)
}

// message hands one whole message, whose first frame had the reserved bits rsv,
// to the handler.
func (s *Session) message(raw []byte, rsv byte) {
	messageType, payload, err := s.decoder(rsv).decode(raw, s.shard.srv.cfg.ReadLimit)
	switch {
	case errors.Is(err, errTooLong):
		s.fail(ReasonTooBig, "message is too big once decompressed")
		return
	case err != nil && rsv != 0:
		s.fail(ReasonInvalidPayload, "message can't be decompressed")
		return
	case err != nil:
		s.fail(ReasonProtocolError, "malformed message")
		return
	}
	op := frame.Opcode(messageType)
	if op == frame.Text && !utf8.Valid(payload) {
		s.fail(ReasonInvalidPayload, "text is not UTF-8")
		return
	}
	s.pulse = active
	s.shard.stats.MessagesReceived.Add(1)
	s.handler.Message(s, op, payload)
}
