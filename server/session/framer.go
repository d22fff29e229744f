//go:build linux

package session

import (
	"sync"
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Framer makes the frames of messages that go to many sessions, once for all of
// them. Safe from any goroutine.
type Framer struct {
	srv     *Server
	mu      sync.Mutex // guards the following
	codec   *codec
	deflate *codec // nil until the first session with compression
}

// NewFramer returns a Framer for the sessions of srv.
func NewFramer(srv *Server) *Framer { return &Framer{srv: srv, codec: newCodec()} }

// Frame returns the message, the parts in a row, for Session.SendShared: text if the payload is valid
// UTF-8, else binary. Nobody may change it any more. It is compressed only if
// somebody can take it so, and if that makes it shorter.
func (f *Framer) Frame(parts ...[]byte) *frame.Shared {
	payload := parts[0]
	if len(parts) > 1 {
		payload = appendAll(nil, parts)
	}
	op := int(frame.Text)
	if !utf8.Valid(payload) {
		op = int(frame.Binary)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := &frame.Shared{Plain: f.codec.encode(make([]byte, 0, len(payload)+10), op, payload)}
	if len(payload) < deflateMin || f.srv.deflating.Load() == 0 {
		return m
	}
	if f.deflate == nil {
		f.deflate = newDeflateCodec()
	}
	if short := f.deflate.encode(make([]byte, 0, len(payload)/2), op, payload); len(short) < len(m.Plain) {
		m.Deflated = short
	}
	return m
}
