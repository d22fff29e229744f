//go:build linux

package engine

import (
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// partial holds what has arrived of something that is not whole. Idle clients
// have none.
type partial struct {
	buf        []byte // bytes not yet parsed
	msg        []byte // the fragments so far
	op         frame.Opcode
	fragmented bool
}

// frames works through p, together with what was left of earlier data.
func (c *client) frames(p []byte) {
	if c.partial != nil && len(c.partial.buf) > 0 {
		c.partial.buf = append(c.partial.buf, p...)
		p = c.partial.buf
	}
	rest := c.parse(p)
	switch {
	case c.Closed():
		c.partial = nil
	case len(rest) > 0:
		if c.partial == nil {
			c.partial = &partial{}
		}
		c.partial.buf = append(c.partial.buf[:0], rest...)
	case c.partial != nil && !c.partial.fragmented:
		c.partial = nil
	case c.partial != nil:
		c.partial.buf = nil
	}
}

// parse handles every whole frame in p and returns what is left.
func (c *client) parse(p []byte) (rest []byte) {
	// Nothing counts behind the server's close frame or a violation.
	for !c.Closed() && c.flags&answered == 0 {
		h, size, err := frame.Parse(p)
		if err != nil {
			c.violation(err.Error())
			return nil
		}
		if size == 0 {
			return p
		}
		if text := c.judge(h); text != "" {
			c.violation(text)
			return nil
		}
		if h.Length > uint64(len(p)-size) {
			return p
		}
		payload := p[size : size+int(h.Length)]
		p = p[size+int(h.Length):]
		switch h.Opcode {
		case frame.Ping:
			if c.state == open {
				c.e.counts.Pings++
				c.send(frame.Pong, payload)
			}
		case frame.Pong: // unsolicited ones are allowed, RFC 6455 section 5.5.3
		case frame.Close:
			c.peerCloses(payload)
		default:
			c.data(h, payload)
		}
	}
	return nil
}

// judge holds a header against RFC 6455 sections 5.1 to 5.5, from a client's
// side. The text is empty when it may pass.
func (c *client) judge(h frame.Header) string {
	fragmented := c.partial != nil && c.partial.fragmented
	length := h.Length
	if fragmented {
		length += uint64(len(c.partial.msg))
	}
	switch {
	case h.Masked:
		return "frame of the server is masked"
	case h.RSV != 0:
		return "reserved bit is set"
	case !h.Opcode.Known():
		return "opcode is reserved"
	case h.Opcode.IsControl() && !h.Final:
		return "control frame is fragmented"
	case h.Opcode.IsControl() && h.Length > frame.MaxControlPayload:
		return "control frame is longer than 125 bytes"
	case h.Opcode.IsControl():
		return ""
	case h.Opcode == frame.Continuation && !fragmented:
		return "continuation without a message"
	case h.Opcode != frame.Continuation && fragmented:
		return "new message within a fragmented one"
	case length > maxMessage:
		return "message is larger than 1 MiB"
	}
	return ""
}

// data takes a data frame.
func (c *client) data(h frame.Header, payload []byte) {
	op := h.Opcode
	if !h.Final || op == frame.Continuation {
		if c.partial == nil {
			c.partial = &partial{}
		}
		m := c.partial
		if !m.fragmented {
			m.fragmented, m.op = true, op
		}
		m.msg = append(m.msg, payload...)
		if !h.Final {
			return
		}
		op, payload = m.op, m.msg
		m.fragmented, m.msg = false, nil
	}
	if op == frame.Text && !utf8.Valid(payload) {
		c.violation("text is not UTF-8")
		return
	}
	c.message(op, payload)
}
