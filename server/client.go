//go:build linux

package main

import (
	"fmt"
	"net/http"

	"github.com/wsfleet/wsfleet/server/hub"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

const (
	// broadcastChannel reaches every connection of every node.
	broadcastChannel = "broadcast"
	// maxChannelName is the longest name of a channel, in bytes.
	maxChannelName = 256
	// maxChannels is how many channels a client may name in its URL.
	maxChannels = 100
)

// client is one connection with its place in the hub: a single allocation.
type client struct {
	session.Session
	hub.Member
	shard *shard
}

// Open implements session.Handler.
func (c *client) Open(s *session.Session, r *http.Request) {
	c.subscribe(broadcastChannel)
	if r.URL.RawQuery != "" {
		channels := r.URL.Query()["channel"]
		if err := checkChannels(channels); err != nil {
			s.Close(frame.ClosePolicy, err.Error())
			return
		}
		for _, name := range channels {
			c.subscribe(name)
		}
	}
	c.shard.node.handler.Open(s, r)
}

func checkChannels(names []string) error {
	if len(names) > maxChannels {
		return fmt.Errorf("%d channels: at most %d are allowed", len(names), maxChannels)
	}
	for _, name := range names {
		if len(name) == 0 || len(name) > maxChannelName {
			return fmt.Errorf("a channel's name has 1 to %d bytes, not %d", maxChannelName, len(name))
		}
	}
	return nil
}

func (c *client) subscribe(channel string) { c.shard.hub.Subscribe(channel, c, &c.Member) }

// Message implements session.Handler.
func (c *client) Message(s *session.Session, op frame.Opcode, payload []byte) {
	c.shard.node.handler.Message(s, op, payload)
}

// Close implements session.Handler.
func (c *client) Close(s *session.Session, why session.Reason) {
	c.shard.hub.Leave(&c.Member)
	c.shard.node.handler.Close(s, why)
}

// Deliver implements hub.Subscriber.
func (c *client) Deliver(f []byte) { c.SendFrame(f) }
