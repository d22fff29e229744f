// Package frame reads and writes what is the same on both sides of a WebSocket
// connection: frame headers, masking, opcodes and close codes (RFC 6455).
package frame

import (
	"encoding/binary"
	"errors"
)

// Opcode of a frame, RFC 6455 section 11.8.
type Opcode byte

// The opcodes that RFC 6455 defines; all others are reserved.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// IsControl reports whether frames of this opcode may come between the fragments
// of a message.
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// Known reports whether RFC 6455 defines the opcode.
func (o Opcode) Known() bool { return o <= Binary || o >= Close && o <= Pong }

const (
	// MaxHeaderSize is a header with an 8-byte length and a mask, in bytes.
	MaxHeaderSize = 14
	// MaxControlPayload is the longest payload of a control frame, in bytes
	// (RFC 6455 section 5.5).
	MaxControlPayload = 125

	finBit  = 0x80
	rsvBits = 0x70
	// RSV1 marks a message compressed by permessage-deflate (RFC 7692).
	RSV1    = 0x40
	maskBit = 0x80
)

// ErrLength says that a length was not in its shortest form or had its highest
// bit set, both forbidden by RFC 6455 section 5.2.
var ErrLength = errors.New("frame: payload length is malformed")

// Header of one frame.
type Header struct {
	Final  bool
	RSV    byte // the reserved bits in their place: 0x40, 0x20, 0x10
	Opcode Opcode
	Masked bool
	Key    [4]byte // if Masked
	Length uint64  // of the payload, in bytes
}

// Parse reads the header at the start of p and returns its size in bytes, 0 if
// more bytes are needed. It judges nothing but the form of the length: which
// headers are allowed depends on the side and on what came before.
func Parse(p []byte) (h Header, size int, err error) {
	if len(p) < 2 {
		return h, 0, nil
	}
	h.Final = p[0]&finBit != 0
	h.RSV = p[0] & rsvBits
	h.Opcode = Opcode(p[0] & 0x0f)
	h.Masked = p[1]&maskBit != 0
	size = 2
	switch short := p[1] &^ maskBit; short {
	case 126:
		if len(p) < 4 {
			return h, 0, nil
		}
		h.Length = uint64(binary.BigEndian.Uint16(p[2:]))
		size = 4
		if h.Length < 126 {
			return h, 0, ErrLength
		}
	case 127:
		if len(p) < 10 {
			return h, 0, nil
		}
		h.Length = binary.BigEndian.Uint64(p[2:])
		size = 10
		if h.Length < 1<<16 || h.Length>>63 != 0 {
			return h, 0, ErrLength
		}
	default:
		h.Length = uint64(short)
	}
	if h.Masked {
		if len(p) < size+4 {
			return h, 0, nil
		}
		h.Key = [4]byte(p[size:])
		size += 4
	}
	return h, size, nil
}

// AppendHeader appends h to dst.
func AppendHeader(dst []byte, h Header) []byte {
	b0 := byte(h.Opcode) | h.RSV
	if h.Final {
		b0 |= finBit
	}
	var b1 byte
	if h.Masked {
		b1 = maskBit
	}
	switch {
	case h.Length < 126:
		dst = append(dst, b0, b1|byte(h.Length))
	case h.Length < 1<<16:
		dst = append(dst, b0, b1|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(h.Length))
	default:
		dst = append(dst, b0, b1|127)
		dst = binary.BigEndian.AppendUint64(dst, h.Length)
	}
	if h.Masked {
		dst = append(dst, h.Key[:]...)
	}
	return dst
}

// AppendControl appends an unmasked control frame, as a server sends it. The
// payload must not be longer than MaxControlPayload.
func AppendControl(dst []byte, op Opcode, payload []byte) []byte {
	dst = append(dst, finBit|byte(op), byte(len(payload)))
	return append(dst, payload...)
}

// AppendMasked appends one whole masked frame, as a client sends it.
func AppendMasked(dst []byte, op Opcode, key [4]byte, payload []byte) []byte {
	dst = AppendHeader(dst, Header{Final: true, Opcode: op, Masked: true, Key: key, Length: uint64(len(payload))})
	start := len(dst)
	dst = append(dst, payload...)
	Mask(key, dst[start:])
	return dst
}

// Mask applies key to p in place; doing it twice restores p (RFC 6455 section
// 5.3). The first byte of p meets the first byte of key.
func Mask(key [4]byte, p []byte) {
	k := binary.LittleEndian.Uint32(key[:])
	wide := uint64(k)<<32 | uint64(k)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= key[i&3]
	}
}
