//go:build linux

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/wsfleet/wsfleet/server/position"
)

// header is the first line of a message of a channel on a connection that can be
// resumed.
type header struct {
	Channel string `json:"channel"`
	At      string `json:"position"`
	Lost    int64  `json:"lost"`

	position position.Position
}

// lostUnknown in a header: nobody can tell how many messages before it are missing.
const lostUnknown = -1

// subscribed is the server's word about one channel of a connection.
type subscribed struct {
	Channel   string `json:"subscribed"`
	Position  string `json:"position"`
	Recovered bool   `json:"recovered"`
	Reason    string `json:"reason"`
}

var (
	headerPrefix     = []byte(`{"channel":`)
	subscribedPrefix = []byte(`{"subscribed":`)
)

// headed takes what comes on a connection that can be resumed, and returns what is
// left for those who know nothing of that: the payload of a channel's message, or all of
// what the application sent. done says that nothing is left.
func (c *client) headed(p []byte) (payload []byte, fromChannel, done bool) {
	switch {
	case bytes.HasPrefix(p, subscribedPrefix):
		c.subscribed(p)
		return nil, false, true
	case bytes.HasPrefix(p, headerPrefix):
		line, payload, _ := bytes.Cut(p, []byte{'\n'})
		r := c.e.resuming
		if !bytes.Equal(line, r.line) {
			h, err := parseHeader(line)
			if err != nil {
				c.inconsistent(fmt.Sprintf("header %s: %v", quote(line), err))
				return payload, true, false
			}
			r.line, r.header = append(r.line[:0], line...), h
		}
		c.passes(&r.header)
		return payload, true, false
	}
	return p, false, false
}

func parseHeader(line []byte) (h header, err error) {
	if err = json.Unmarshal(line, &h); err != nil {
		return h, err
	}
	if h.Lost < lostUnknown {
		return h, fmt.Errorf("lost %d: want -1 or more", h.Lost)
	}
	if h.At != "" {
		h.position, err = position.Parse(h.At)
	}
	return h, err
}

// passes holds a message's header against the one before it.
func (c *client) passes(h *header) {
	counts, epochs := &c.e.counts.Resume, &c.e.resuming.epochs
	cur := c.cursor(h.Channel)
	switch {
	case cur == nil:
		c.inconsistent(fmt.Sprintf("a message of channel %q, which it does not listen to", h.Channel))
		return
	case cur.awaits != nothing:
		c.inconsistent(fmt.Sprintf("a message of channel %q before the word that it is subscribed", h.Channel))
		c.unanswered(cur)
	}
	if h.Lost == lostUnknown {
		counts.GapsUnknown++
	} else {
		counts.LostTold += h.Lost
	}
	if h.position.IsZero() {
		return // it was published past the servers, and is in no history
	}
	from := *cur
	between := cur.pass(h.position, h.Lost, epochs)
	switch {
	case from.epoch != cur.epoch && from.epoch != 0:
		counts.Epochs++
	case between.repeated:
		counts.Repeated++
		c.keep("resume.repeated", func() string {
			return fmt.Sprintf("%s came after %s", h.position, from.position(epochs))
		})
	}
	if between.skipped > 0 {
		counts.Skipped += int64(between.skipped)
		c.keep("resume.skipped", func() string {
			return fmt.Sprintf("%s came after %s, and nothing was said to be lost", h.position, from.position(epochs))
		})
	}
	if between.contradicted {
		c.inconsistent(fmt.Sprintf("%s came after %s, and %d were said to be lost", h.position, from.position(epochs), h.Lost))
	}
}

// subscribed takes the server's word about a channel.
func (c *client) subscribed(line []byte) {
	var s subscribed
	err := json.Unmarshal(line, &s)
	var at position.Position
	if err == nil {
		at, err = position.Parse(s.Position)
	}
	if err != nil {
		c.inconsistent(fmt.Sprintf("%s: %v", quote(line), err))
		return
	}
	counts, epochs := &c.e.counts.Resume, &c.e.resuming.epochs
	cur := c.cursor(s.Channel)
	if cur == nil || cur.awaits == nothing {
		c.inconsistent(quote(line) + ": it has not asked for that")
		return
	}
	asked := cur.awaits == recovery
	cur.awaits = nothing
	switch {
	case asked && s.Recovered:
		counts.Recovered++
		if !cur.at(at, epochs) {
			c.inconsistent(fmt.Sprintf("channel %q: recovered from %s, but %s was asked for", s.Channel, at, cur.position(epochs)))
		}
		return // what comes is held against what it asked for
	case asked:
		counts.TooOld++
		counts.LostTold += cur.missing(at, epochs)
		c.keep("resume.too_old", func() string {
			return fmt.Sprintf("channel %q: goes on at %s instead of %s: %s", s.Channel, at, cur.position(epochs), s.Reason)
		})
	}
	cur.move(at, epochs)
}

// inconsistent counts what no server may say.
func (c *client) inconsistent(text string) {
	c.e.counts.Resume.Inconsistent++
	c.keep("resume.inconsistent", func() string { return text })
}
