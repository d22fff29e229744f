//go:build linux

package session

import (
	"net/http"
	"strings"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// permessage-deflate (RFC 7692) is gorilla's, without context takeover: each
// message is compressed by itself, so that neither side keeps a window of 32 KiB
// for the other. A session remembers one bit of it.
const (
	extensionsHeader  = "Sec-Websocket-Extensions"
	permessageDeflate = "permessage-deflate"

	// deflateMin is the smallest message that is sent compressed, in bytes:
	// with no earlier message to refer to, smaller ones hardly get shorter.
	deflateMin = 256
	// deflateWriteBuffer is the largest compressed message that leaves in a
	// single frame, in bytes. A loop has one such buffer.
	deflateWriteBuffer = 32 << 10
)

// deflatedLimit is how long a compressed message may be that might hold limit
// bytes: what can't be compressed gets 5 bytes longer in each block (RFC 1951
// section 3.2.4), whose size is the sender's choice.
func deflatedLimit(limit uint64) uint64 { return limit + limit/1024 + 64 }

// chooseDeflate reports whether the request offers compression in a form that
// gorilla's answer to it can accept, and leaves only that offer in r.
func chooseDeflate(r *http.Request) bool {
	offers, ok := r.Header[extensionsHeader]
	if !ok {
		return false
	}
	for _, line := range offers {
		for _, offer := range strings.Split(line, ",") {
			if acceptable(offer) {
				r.Header[extensionsHeader] = []string{permessageDeflate}
				return true
			}
		}
	}
	delete(r.Header, extensionsHeader)
	return false
}

// acceptable holds one offer against RFC 7692 section 7.1: every parameter is
// known, valid and given once. server_max_window_bits is declined: a server that
// accepts it must keep to it, and Go's compressor always uses the whole window.
func acceptable(offer string) bool {
	name, rest, more := strings.Cut(offer, ";")
	if strings.TrimSpace(name) != permessageDeflate {
		return false
	}
	seen := make(map[string]bool, 3)
	for more {
		var parameter string
		parameter, rest, more = strings.Cut(rest, ";")
		key, value, hasValue := strings.Cut(parameter, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if seen[key] {
			return false
		}
		seen[key] = true
		switch key {
		case "server_no_context_takeover", "client_no_context_takeover":
			if hasValue {
				return false
			}
		case "client_max_window_bits":
			if hasValue && !windowBits(unquoted(value)) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// windowBits: 8 to 15, without leading zeros (RFC 7692 section 7.1.2).
func windowBits(s string) bool {
	switch s {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

// unquoted takes the quotes off a value; RFC 6455 section 9.1 allows them round a
// token.
func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// mayDeflate reports whether the reserved bits say that a message is compressed,
// and may: only its first frame says so (RFC 7692 section 6).
func (s *Session) mayDeflate(h frame.Header) bool {
	first := h.Opcode == frame.Text || h.Opcode == frame.Binary
	return s.deflate && first && h.RSV == frame.RSV1
}

// deflater returns the shard's codec of compressed messages, made when the first
// session needs it.
func (sh *Shard) deflater() *codec {
	if sh.deflate == nil {
		sh.deflate = newDeflateCodec()
	}
	return sh.deflate
}

// encoder returns the codec for a message of n bytes to s.
func (s *Session) encoder(n int) *codec {
	if s.deflate && n >= deflateMin {
		return s.shard.deflater()
	}
	return s.shard.codec
}

// decoder returns the codec for a message from the peer with these reserved bits.
func (s *Session) decoder(rsv byte) *codec {
	if rsv != 0 {
		return s.shard.deflater()
	}
	return s.shard.codec
}
