package broker

// eventKind says what an event is.
type eventKind uint8

const (
	// eventMessage: a message came.
	eventMessage eventKind = iota
	// eventDropped: messages of the channel found no room; payload is that of the last
	// with a header, raw how many had none.
	eventDropped
	// eventSubscribe and eventUnsubscribe: this node wants the channel, or no longer.
	eventSubscribe
	eventUnsubscribe
	// eventAnchors: this is what the server had last, and every message up to there that
	// the connection brought is before this event.
	eventAnchors
)

// event is one step of what the sequencer has to follow. Those of one connection come in
// the order in which its server sent them.
type event struct {
	kind       eventKind
	connection uint64 // from which it came
	channel    string
	number     uint64 // of the subscription
	payload    []byte // as it came from the server
	raw        int64
	fetched    bool // the history before it was read, for its sake
	anchors    []anchor
	at         int64 // when it came, in ns since 1970
}

// anchor is the newest position of a channel.
type anchor struct {
	channel string
	number  uint64 // of the subscription it was asked for
	header
}
