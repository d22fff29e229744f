//go:build linux

package hub

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Message is one that was published on a channel. All loops share it: nobody changes
// it once it was given to a Hub.
type Message struct {
	Channel  string
	Payload  []byte
	Position position.Position // zero if it is in no history
	// Lost is how many messages of the channel before this one are missing, below 0
	// if that can't be known.
	Lost int64

	published time.Time
	pending   atomic.Int32 // shards that have yet to deliver it
	forms     [formCount]struct {
		once   sync.Once
		shared *frame.Shared
	}
}

// Form is how a message is put into frames.
type Form uint8

// The forms of a message.
const (
	Plain  Form = iota // the payload
	Headed             // a header, then the payload
	formCount
)

// Frames returns m in the form f. It is made by frame when the first loop asks, once
// for all of them.
func (m *Message) Frames(f Form, frame func(*Message) *frame.Shared) *frame.Shared {
	form := &m.forms[f]
	form.once.Do(func() { form.shared = frame(m) })
	return form.shared
}

// messageOverhead is about what a message costs beside its payload, in bytes.
const messageOverhead = 256

// size is about the memory that m takes: its payload, and that again in frames.
func (m *Message) size() int { return 2*len(m.Payload) + len(m.Channel) + messageOverhead }
