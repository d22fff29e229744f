//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/wsfleet/wsfleet/server/hub"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// client is one connection with its place in the hub: a single allocation.
type client struct {
	session.Session
	hub.Member
	shard     *shard
	resumable bool // it asked with since: messages have headers, and commands are heard
}

// everybody is what a client wants that asks for nothing.
var everybody = []subscription{{Channel: broadcastChannel}}

// Open implements session.Handler.
func (c *client) Open(s *session.Session, r *http.Request) {
	wanted := everybody
	var err error
	if r.URL.RawQuery != "" {
		wanted, c.resumable, err = parseQuery(r.URL.Query())
	}
	for _, w := range wanted {
		c.subscribe(w) // one that is named twice counts once
	}
	c.shard.node.handler.Open(s, r) // in any case: it gets Close, too
	if err != nil {
		s.Close(frame.ClosePolicy, err.Error())
	}
}

// subscribe reports false if the client is subscribed already.
func (c *client) subscribe(w subscription) bool {
	if c.resumable {
		return c.shard.hub.Resume(w.Channel, w.Since, c)
	}
	c.shard.hub.Subscribe(w.Channel, c)
	return true
}

// channelOf returns the first channel that the client of s has named, or
// broadcast, on which everyone is first of all. It is "" if the client has left all.
func channelOf(s *session.Session) string {
	m := &s.Handler().(*client).Member
	if named := m.Channel(1); named != "" {
		return named
	}
	return m.Channel(0)
}

// Message implements session.Handler.
func (c *client) Message(s *session.Session, op frame.Opcode, payload []byte) {
	if c.resumable && op == frame.Text && isCommand(payload) {
		c.command(payload)
		return
	}
	c.shard.node.handler.Message(s, op, payload)
}

// command does what a resumable client asks for, and answers each part of it.
func (c *client) command(text []byte) {
	cmd, err := parseCommand(text)
	if err != nil {
		c.answer(refused{Error: err.Error()})
		return
	}
	for _, name := range cmd.Unsubscribe {
		if c.shard.hub.Unsubscribe(name, &c.Member) {
			c.answer(unsubscribed{name})
		} else {
			c.answer(refused{"not subscribed", name})
		}
	}
	for _, w := range cmd.Subscribe {
		if err := c.add(w); err != nil {
			c.answer(refused{err.Error(), w.Channel})
		}
	}
}

func (c *client) add(w subscription) error {
	if err := checkChannel(w.Channel); err != nil {
		return err
	}
	if c.Channels() >= maxChannels {
		return fmt.Errorf("at most %d channels are allowed", maxChannels)
	}
	if !c.subscribe(w) {
		return fmt.Errorf("already subscribed")
	}
	return nil
}

// answer sends v on a line of its own.
func (c *client) answer(v any) { c.Send(frame.Text, bytes.TrimSuffix(line(v), []byte("\n"))) }

// Close implements session.Handler.
func (c *client) Close(s *session.Session, why session.Reason) {
	c.shard.hub.Leave(&c.Member)
	c.shard.node.handler.Close(s, why)
}

// Deliver implements hub.Subscriber. A resumable client that is slow is sent the rest
// when it has taken what waits for it; any other is closed as a slow consumer.
func (c *client) Deliver(m *hub.Message) {
	n := c.shard.node
	if !c.resumable {
		c.SendShared(m.Frames(hub.Plain, n.frame))
		return
	}
	framed := m.Frames(hub.Headed, n.frameWithHeader)
	waits := c.Queued()
	if waits > 0 && waits+len(framed.Plain) > n.cfg.SendQueue/2 && c.shard.hub.FallBehind(c, m) {
		return
	}
	c.SendShared(framed)
}

// Joined implements hub.Resumer.
func (c *client) Joined(channel string, at position.Position, err error) {
	s := subscribed{Channel: channel, Position: at.String(), Recovered: err == nil}
	if err != nil {
		s.Reason = err.Error()
	}
	c.answer(s)
}

// Room implements hub.Resumer.
func (c *client) Room() bool { return c.Sending() && c.Queued() == 0 }

// Drained implements session.Drainer.
func (c *client) Drained(*session.Session) { c.shard.hub.Drained(&c.Member) }
