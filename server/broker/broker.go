// Package broker carries published messages between the nodes of a fleet, in order
// and with an account of what was lost. It knows neither connections nor WebSocket:
// what arrives is handed to one Receiver.
package broker

import (
	"context"
	"errors"
	"time"

	"github.com/wsfleet/wsfleet/server/position"
)

// Message is one that was published on a channel.
type Message struct {
	Channel  string
	Payload  []byte            // the receiver's to keep; nobody changes it
	Position position.Position // zero if it was published past wsfleet (redis-cli PUBLISH): it is in no history
	// Lost is how many messages of the channel before this one are known to be
	// missing, LostUnknown if that can't be known. Zero nearly always.
	Lost int64
}

// LostUnknown says that messages may be missing and nobody can tell how many.
const LostUnknown = -1

// Receiver takes what a broker has for this node. A broker calls it from one goroutine
// at a time. It may block: the broker goes on reading meanwhile, within its bound.
type Receiver interface {
	// Start says that from now on everything is delivered that is published on
	// channel after p. It comes once for each subscription, before the first Deliver
	// that has a position.
	Start(channel string, p position.Position)
	// Deliver takes a message, in the order of its channel, each once. One with a
	// position follows directly on the one before, or says in Lost that it doesn't.
	Deliver(m Message)
}

// Errors of Publish and History, to be told with errors.Is.
var (
	// ErrTooOld: history no longer reaches back to the position, or never knew it.
	ErrTooOld = errors.New("history does not reach back so far")
	// ErrBusy: more waits to be published than may wait. It was not published.
	ErrBusy = errors.New("too many messages wait to be published")
)

// Broker joins nodes. All methods are safe from any goroutine.
type Broker interface {
	// Run works until ctx is done and hands to r what is published on the channels
	// subscribed to. It outlasts the loss of its server. The error says why it
	// could not start at all.
	Run(ctx context.Context, r Receiver) error
	// Subscribe and Unsubscribe choose the channels of this node. They return
	// at once and take effect soon after.
	Subscribe(channel string)
	Unsubscribe(channel string)
	// Publish sends to all subscribers of channel on all nodes, this one included,
	// and returns the message's position. Messages of one goroutine keep their
	// order; calls from many go out together. After an error the message may have
	// been published all the same, except after ErrBusy.
	Publish(ctx context.Context, channel string, payload []byte) (position.Position, error)
	// PublishLater is Publish for those who can't wait. It returns at once, with
	// ErrBusy if there is no room; done, unless nil, is called later from some
	// goroutine and must not block. The caller must not change payload any more.
	PublishLater(channel string, payload []byte, done func(position.Position, error)) error
	// History returns the messages of a channel after since, up to and including
	// until (the newest if that is zero), at most limit of them, oldest first; more
	// says that there are others. ErrTooOld if one of them is gone.
	History(ctx context.Context, channel string, since, until position.Position, limit int) (page []Message, more bool, err error)
	// Ready returns nil while messages flow, else why they don't.
	Ready() error
	// Stats returns the counters of this node's part.
	Stats() *Stats
}

// History bounds what each channel keeps of what was published on it.
type History struct {
	Length int           // messages; 0 keeps none: losses are then counted, not mended
	Age    time.Duration // older ones are gone; 0 for no such bound
}

// Config of a Broker.
type Config struct {
	// URL is memory, or names a Redis: redis://[user@]host:port/db or rediss:// for
	// TLS, redis+sentinel://host:port,host:port/name, redis+cluster://host:port,host:port,
	// and rediss+sentinel and rediss+cluster.
	URL string
	// Password is given apart from the URL, so that it appears in no process list.
	Password string
	// CAFile holds the certificates (PEM) that the server's must come from; empty
	// for those of the system.
	CAFile  string
	History History
	// Queue bounds the bytes of messages that have come from the server and wait to
	// be delivered. What finds no room is dropped; it is fetched from history later,
	// or counted as lost.
	Queue int
	// PublishBuffer is how long a message may wait for a server that is away before
	// Publish fails; 0 fails at once.
	PublishBuffer time.Duration
}

// New returns the broker that cfg names. The error names the field and its value.
func New(cfg Config) (Broker, error) {
	if cfg.URL == "memory" {
		return newMemory(cfg), nil
	}
	return NewRedis(cfg)
}
