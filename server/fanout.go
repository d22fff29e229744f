//go:build linux

package main

import (
	"context"
	"errors"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/hub"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

const (
	// tailLength is how many messages of a channel a node remembers at the most. Those
	// who return within seconds get by without asking Redis.
	tailLength = 1024
	// tailBytes is what all loops of a node remember together.
	tailBytes = 64 << 20
	// pageLength is how many messages are fetched from history at once.
	pageLength = 64
)

// newHub returns the hub of n, whose broker there is.
func (n *node) newHub() *hub.Hub {
	cfg := hub.Config{
		First: n.broker.Subscribe,
		Last:  n.broker.Unsubscribe,
		// Subscribed from the start, so that readiness means that the first client
		// will hear what is published from then on.
		Pinned:        []string{broadcastChannel},
		ObserveFanout: n.metrics.observeFanout,
		Backfill:      n.backfill,
	}
	if h := n.cfg.Fanout.History; h.Length > 0 {
		cfg.Tail = hub.Tail{Length: min(h.Length, tailLength), Bytes: tailBytes / n.cfg.Loops, Age: h.Age}
	}
	return hub.New(cfg)
}

// Start implements broker.Receiver.
func (n *node) Start(channel string, p position.Position) { n.hub.Start(channel, p) }

// Deliver implements broker.Receiver. It waits while the loops do not keep up.
func (n *node) Deliver(m broker.Message) { n.hub.Publish(hubMessage(m)) }

func hubMessage(m broker.Message) *hub.Message {
	return &hub.Message{Channel: m.Channel, Payload: m.Payload, Position: m.Position, Lost: m.Lost}
}

// backfill gets what a client missed that the tail no longer has.
func (n *node) backfill(ctx context.Context, channel string, since, until position.Position) (hub.Page, error) {
	messages, more, err := n.broker.History(ctx, channel, since, until, pageLength)
	if errors.Is(err, broker.ErrTooOld) {
		return hub.Page{TooOld: err}, nil
	}
	page := hub.Page{More: more, Messages: make([]*hub.Message, len(messages))}
	for i, m := range messages {
		page.Messages[i] = hubMessage(m)
	}
	return page, err
}

// frame is the form of a message for those who asked without since.
func (n *node) frame(m *hub.Message) *frame.Shared { return n.framer.Frame(m.Payload) }

// frameWithHeader is the form for those who can resume.
func (n *node) frameWithHeader(m *hub.Message) *frame.Shared {
	return n.framer.Frame(line(header{m.Channel, m.Position.String(), m.Lost}), m.Payload)
}
