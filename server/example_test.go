//go:build linux

package main

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

func init() {
	handlers["people"] = func(*node) session.Handler { return &people{} }
}

// people counts the connections of the node and tells whoever asks.
type people struct{ here atomic.Int64 }

func (p *people) Open(s *session.Session, _ *http.Request) {
	s.Send(frame.Text, fmt.Appendf(nil, "you are number %d", p.here.Add(1)))
}

func (p *people) Message(s *session.Session, op frame.Opcode, _ []byte) {
	s.Send(op, fmt.Append(nil, p.here.Load()))
}

func (p *people) Close(*session.Session, session.Reason) { p.here.Add(-1) }
