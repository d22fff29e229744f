package frame

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// CloseCode is the status code of a close frame, RFC 6455 section 7.4 and the
// IANA registry.
type CloseCode uint16

// Codes that wsfleet sends or expects.
const (
	CloseNormal         CloseCode = 1000
	CloseGoingAway      CloseCode = 1001
	CloseProtocolError  CloseCode = 1002
	CloseNoStatus       CloseCode = 1005 // never on the wire: the frame had no code
	CloseAbnormal       CloseCode = 1006 // never on the wire: there was no frame
	CloseInvalidPayload CloseCode = 1007
	ClosePolicy         CloseCode = 1008
	CloseTooBig         CloseCode = 1009
	CloseInternalError  CloseCode = 1011
	CloseServiceRestart CloseCode = 1012
	CloseTryAgainLater  CloseCode = 1013
)

func (c CloseCode) String() string { return strconv.Itoa(int(c)) }

// Sendable reports whether the code may stand in a close frame: the registered
// ones and those for libraries and applications (3000 to 4999).
func (c CloseCode) Sendable() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014, c >= 3000 && c <= 4999:
		return true
	}
	return false
}

// ParseClose splits the payload of a close frame. An empty one is CloseNoStatus.
// When the payload breaks the RFC, ok is false and code is the one to answer
// with: 1002, or 1007 for a reason that is not UTF-8.
func ParseClose(payload []byte) (code CloseCode, reason string, ok bool) {
	if len(payload) == 0 {
		return CloseNoStatus, "", true
	}
	if len(payload) == 1 {
		return CloseProtocolError, "", false
	}
	code = CloseCode(binary.BigEndian.Uint16(payload))
	if !code.Sendable() {
		return CloseProtocolError, "", false
	}
	if !utf8.Valid(payload[2:]) {
		return CloseInvalidPayload, "", false
	}
	return code, string(payload[2:]), true
}

// ClosePayload builds the payload of a close frame. A reason that does not fit
// is cut, at a rune's start. CloseNoStatus makes an empty payload.
func ClosePayload(code CloseCode, reason string) []byte {
	if code == CloseNoStatus {
		return nil
	}
	const room = MaxControlPayload - 2
	if len(reason) > room {
		reason = reason[:room]
		for !utf8.ValidString(reason) && len(reason) > 0 {
			reason = reason[:len(reason)-1]
		}
	}
	p := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return append(p, reason...)
}
