// Package broker carries published messages between the nodes of a fleet. It
// knows neither connections nor WebSocket: what arrives is handed to one function.
package broker

import (
	"context"
	"fmt"
	"net/url"
)

// Deliver takes a message that was published on channel. A broker calls it from
// one goroutine at a time, in the order of the channel, and keeps no reference to
// payload. It must return quickly.
type Deliver func(channel string, payload []byte)

// Broker joins nodes. All methods are safe from any goroutine.
type Broker interface {
	// Run works until ctx is done and hands to deliver what is published on
	// the channels subscribed to. It outlasts the loss of its server. The
	// error says why it could not start at all.
	Run(ctx context.Context, deliver Deliver) error
	// Subscribe and Unsubscribe choose the channels of this node. They return
	// at once and take effect soon after.
	Subscribe(channel string)
	Unsubscribe(channel string)
	// Publish sends to all subscribers of channel on all nodes, this one
	// included. A nil error means that the broker has taken the message.
	Publish(ctx context.Context, channel string, payload []byte) error
	// Ready returns nil while messages flow, else why they don't.
	Ready() error
	// Stats returns the counters of this node's part.
	Stats() *Stats
}

// New returns the broker that spec names: "memory" or a Redis URL,
// redis://[user@]host:port/db. The password is given apart, so that it appears in
// no process list; it may be empty.
func New(spec, password string) (Broker, error) {
	if spec == "memory" {
		return NewMemory(), nil
	}
	u, err := url.Parse(spec)
	if err != nil {
		return nil, fmt.Errorf("broker %q: %w", spec, err)
	}
	switch u.Scheme {
	case "redis", "rediss":
		return NewRedis(spec, password)
	}
	return nil, fmt.Errorf("broker %q: want memory or redis://host:port/db", spec)
}
