//go:build linux

package main

import (
	"net/http"

	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// relay publishes every message on the first channel that its client has named in
// the URL, or on broadcast if it named none. The client hears it like everybody
// else on that channel: as text if it is valid UTF-8, else as binary.
type relay struct{ publisher *publisher }

// Open implements session.Handler.
func (relay) Open(*session.Session, *http.Request) {}

// Message implements session.Handler.
func (r relay) Message(s *session.Session, _ frame.Opcode, payload []byte) {
	r.publisher.publish(channelOf(s), payload)
}

// Close implements session.Handler.
func (relay) Close(*session.Session, session.Reason) {}
