//go:build linux

package main

import (
	"bytes"
	"net/http"
	"sync/atomic"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// relay publishes every message on the first channel that its client has named in
// the URL, or on broadcast if it named none. The client hears it like everybody
// else on that channel: as text if it is valid UTF-8, else as binary. What the broker
// has no room for is dropped and counted: a loop waits for nobody.
type relay struct {
	broker  broker.Broker
	dropped *atomic.Uint64
}

// Open implements session.Handler.
func (relay) Open(*session.Session, *http.Request) {}

// Message implements session.Handler.
func (r relay) Message(s *session.Session, _ frame.Opcode, payload []byte) {
	channel := channelOf(s)
	if channel == "" || r.broker.PublishLater(channel, bytes.Clone(payload), nil) != nil {
		r.dropped.Add(1)
	}
}

// Close implements session.Handler.
func (relay) Close(*session.Session, session.Reason) {}
