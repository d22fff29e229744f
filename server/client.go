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
	var err error
	if r.URL.RawQuery != "" {
		err = c.subscribeAll(r.URL.Query()["channel"])
	}
	c.shard.node.handler.Open(s, r) // in any case: it gets Close, too
	if err != nil {
		s.Close(frame.ClosePolicy, err.Error())
	}
}

func (c *client) subscribeAll(channels []string) error {
	if err := checkChannels(channels); err != nil {
		return err
	}
	for _, name := range channels {
		c.subscribe(name)
	}
	return nil
}

// channelOf returns the first channel that the client of s has named, or
// broadcast, on which everyone is first of all.
func channelOf(s *session.Session) string {
	m := &s.Handler().(*client).Member
	if named := m.Channel(1); named != "" {
		return named
	}
	return m.Channel(0)
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
func (c *client) Deliver(m *frame.Shared) { c.SendShared(m) }
