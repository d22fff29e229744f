//go:build linux

package session

import (
	"time"
	"unsafe"
)

// Held returns how many bytes s keeps of what is not whole.
func (s *Session) Held() int {
	if s.partial == nil {
		return 0
	}
	return cap(s.partial.buf) + cap(s.partial.msg)
}

// Handshaking reports whether s still waits for its request.
func (s *Session) Handshaking() bool { return s.state == handshaking }

// SessionSize is what a session costs in the allocation of whoever embeds it.
const SessionSize = unsafe.Sizeof(Session{})

// NeverOverdraw lets sessions wait for room for as long as it takes.
func (sh *Shard) NeverOverdraw() {
	sh.loop.Post(func() { sh.intake.stall = time.Hour })
}
