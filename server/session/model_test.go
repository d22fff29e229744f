//go:build linux

package session_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"unicode/utf8"
)

// model is RFC 6455 (and 7692) for a server that echoes, written to be read: it
// has the whole stream before it, one frame after the other, and says what must
// come back.
type model struct {
	limit   int
	deflate bool // permessage-deflate was negotiated
	in      []byte
	out     []string
	message []byte
	first   byte // first byte of the message under way, 0 if there is none
}

// run returns the frames that answer in, and whether the server is done then.
func (m *model) run() (out []string, ended bool) {
	for {
		need, why := m.step()
		switch {
		case why != "":
			return append(m.out, why), true
		case need:
			return m.out, false
		}
	}
}

// step takes one frame. need: it is not whole. why: the close frame that ends it.
func (m *model) step() (need bool, why string) {
	p := m.in
	if len(p) < 2 {
		return true, ""
	}
	length, head := int(p[1]&127), 2
	if length == 126 || length == 127 {
		bytes := 2 + 6*(length-126)
		if len(p) < 2+bytes {
			return true, ""
		}
		var long uint64
		for _, b := range p[2 : 2+bytes] {
			long = long<<8 | uint64(b)
		}
		if bytes == 2 && long <= 125 || bytes == 8 && long <= 65535 || long>>63 == 1 {
			return false, "close 1002"
		}
		length, head = int(long), 2+bytes
	}
	if p[1] < 128 {
		return false, "close 1002" // not masked
	}
	head += 4
	if len(p) < head {
		return true, ""
	}
	fin, rsv, op := p[0]&0x80 != 0, p[0]&0x70, p[0]&0x0f
	control := op >= 8
	compressed := m.deflate && rsv == 0x40 && (op == 1 || op == 2)
	switch {
	case rsv != 0 && !compressed:
		return false, "close 1002"
	case op >= 3 && op <= 7, op >= 11:
		return false, "close 1002"
	case control && (!fin || length > 125):
		return false, "close 1002"
	case op == 0 && m.first == 0, !control && op != 0 && m.first != 0:
		return false, "close 1002"
	}
	if !control {
		limit := m.limit
		if rsv != 0 || m.first&0x40 != 0 {
			limit += limit/1024 + 64 // deflate makes some data longer
		}
		if length > limit-len(m.message) {
			return false, "close 1009"
		}
	}
	if len(p) < head+length {
		return true, ""
	}
	payload := bytes.Clone(p[head : head+length])
	for i := range payload {
		payload[i] ^= p[head-4+i%4]
	}
	m.in = p[head+length:]
	switch op {
	case 8:
		return false, closeAnswer(payload)
	case 9:
		m.out = append(m.out, fmt.Sprintf("pong %q", payload))
		return false, ""
	case 10:
		return false, ""
	}
	if op != 0 {
		m.first = p[0]
	}
	m.message = append(m.message, payload...)
	if !fin {
		return false, ""
	}
	return false, m.whole()
}

// whole echoes the message, which is complete.
func (m *model) whole() (why string) {
	message, first := m.message, m.first
	m.message, m.first = nil, 0
	if first&0x40 != 0 {
		const tail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff" // RFC 7692 section 7.2.2, and an end
		inflate := flate.NewReader(io.MultiReader(bytes.NewReader(message), bytes.NewReader([]byte(tail))))
		plain, err := io.ReadAll(io.LimitReader(inflate, int64(m.limit)+1))
		switch {
		case len(plain) > m.limit:
			return "close 1009"
		case err != nil:
			return "close 1007"
		}
		message = plain
	}
	if first&0x0f == 1 && !utf8.Valid(message) {
		return "close 1007"
	}
	m.out = append(m.out, fmt.Sprintf("%s %q", map[byte]string{1: "text", 2: "binary"}[first&0x0f], message))
	return ""
}

func closeAnswer(payload []byte) string {
	if len(payload) == 0 {
		return "close 1005"
	}
	code := 0
	if len(payload) > 1 {
		code = int(payload[0])<<8 | int(payload[1])
	}
	registered := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006
	switch {
	case !registered && (code < 3000 || code > 4999):
		return "close 1002"
	case !utf8.Valid(payload[2:]):
		return "close 1007"
	}
	return fmt.Sprintf("close %d", code)
}
