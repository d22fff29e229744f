//go:build linux

package main

import (
	"net/http"

	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// echo is the default handler: it answers every message with itself.
type echo struct{}

var echoPrefix = []byte("Server received: ")

// Open implements session.Handler.
func (echo) Open(*session.Session, *http.Request) {}

// Message implements session.Handler.
func (echo) Message(s *session.Session, op frame.Opcode, payload []byte) {
	s.Send(op, echoPrefix, payload)
}

// Close implements session.Handler.
func (echo) Close(*session.Session, session.Reason) {}
