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
	mu    sync.Mutex // guards codec
	codec *codec
}

// NewFramer returns a Framer.
func NewFramer() *Framer { return &Framer{codec: newCodec()} }

// Frame returns the frame for Session.SendFrame: text if the payload is valid
// UTF-8, else binary. The caller must not change it any more.
func (f *Framer) Frame(payload []byte) []byte {
	op := frame.Text
	if !utf8.Valid(payload) {
		op = frame.Binary
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.codec.encode(make([]byte, 0, len(payload)+10), int(op), payload)
}
