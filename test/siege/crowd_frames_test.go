//go:build linux

package siege

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// replyHead is what the echo handler puts before a message.
const replyHead = "Server received: "

// OnData implements netpoll.Handler.
func (m *member) OnData(p []byte) {
	if len(m.buf) > 0 {
		p = append(m.buf, p...)
		m.buf = nil
	}
	if m.state == shaking {
		p = m.answer(p)
	}
	for len(p) > 0 && m.state == opened {
		p = m.next(p)
	}
}

// answer takes the answer to the handshake off p, once it is whole.
func (m *member) answer(p []byte) []byte {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end < 0 {
		m.buf = bytes.Clone(p)
		return nil
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(p)), nil)
	if err != nil {
		m.Abort(err)
		return nil
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		m.state = opened
		m.crowd.open.Add(1)
		m.crowd.through()
		return p[end+4:]
	}
	m.state = left
	m.crowd.refusals <- refusal{resp.StatusCode, resp.Header.Get("Retry-After")}
	m.Abort(netpoll.ErrClosed)
	m.crowd.through()
	return nil
}

// next takes the next piece off p: a control frame, the header of a data frame, or
// what has come of its payload.
func (m *member) next(p []byte) []byte {
	if m.due > 0 {
		n := min(m.due, uint64(len(p)))
		m.due -= n
		m.reply(p[:n])
		return p[n:]
	}
	h, size, err := frame.Parse(p)
	control := h.Opcode.IsControl()
	switch {
	case err != nil:
		m.Abort(err)
		return nil
	case size == 0, control && uint64(len(p)-size) < h.Length:
		m.buf = bytes.Clone(p)
		return nil
	case !h.Final || h.Masked || h.RSV != 0:
		m.Abort(fmt.Errorf("a frame that wsnode does not send: %+v", h))
		return nil
	case !control:
		if !m.asked || h.Length != uint64(len(replyHead)+len(m.crowd.payload)) {
			m.Abort(fmt.Errorf("a message of %d bytes that is no reply", h.Length))
			return nil
		}
		m.due = h.Length
		return p[size:]
	}
	payload, rest := p[size:size+int(h.Length)], p[size+int(h.Length):]
	switch h.Opcode {
	case frame.Ping:
		m.send(frame.Pong, payload)
	case frame.Close:
		code, _, _ := frame.ParseClose(payload)
		m.Abort(errors.New("close code " + code.String()))
	}
	return rest
}

// reply compares the next piece of a reply with what it must be.
func (m *member) reply(piece []byte) {
	for len(piece) > 0 {
		want := replyHead[min(m.got, len(replyHead)):]
		if want == "" {
			want = string(m.crowd.payload[m.got-len(replyHead):][:len(piece)])
		}
		n := min(len(want), len(piece))
		if string(piece[:n]) != want[:n] {
			m.Abort(fmt.Errorf("a reply is not what was sent, from its byte %d on", m.got))
			return
		}
		m.got += n
		piece = piece[n:]
	}
	if m.due == 0 {
		m.asked = false
		m.crowd.through()
	}
}
