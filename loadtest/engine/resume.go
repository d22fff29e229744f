//go:build linux

package engine

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// resuming is what clients keep so as to ask after a reconnect for what they missed.
type resuming struct {
	epochs  epochs
	names   []string // channels that targets name, and message.DefaultChannel
	targets []resumeTarget
	stride  int      // cursors of a client: one for each name, and one for its own channel
	cursors []cursor // of client i from i*stride on

	line   []byte // the header that came last: a broadcast has the same on each connection
	header header
}

// resumeTarget is what a target's URL says about channels.
type resumeTarget struct {
	channels []int // that it names, in order, in resuming.names
	// implied are those beyond, which a connection gets without asking and must
	// name to give a position of.
	implied []int
}

func newResuming(cfg *Config) *resuming {
	r := &resuming{names: []string{message.DefaultChannel}}
	for _, t := range cfg.Targets {
		var target resumeTarget
		_, query, _ := strings.Cut(t.Path, "?")
		values, _ := url.ParseQuery(query) // what can't be read names no channel to the server either
		for _, name := range values["channel"] {
			i := slices.Index(r.names, name)
			if i < 0 {
				i = len(r.names)
				r.names = append(r.names, name)
			}
			target.channels = append(target.channels, i)
		}
		if !slices.Contains(target.channels, 0) {
			target.implied = []int{0}
		}
		r.targets = append(r.targets, target)
	}
	r.stride = len(r.names) + 1
	r.cursors = make([]cursor, cfg.Connections()*r.stride)
	return r
}

// cursors are the client's: by resuming.names, then that of its own channel.
func (c *client) cursors() []cursor {
	r := c.e.resuming
	return r.cursors[int(c.index)*r.stride:][:r.stride]
}

// follows calls each with the cursors of the present connection's channels, in the
// order in which the request names them: those of the URL, the client's own, and
// what every connection gets.
func (c *client) follows(each func(*cursor)) {
	cursors, target := c.cursors(), &c.e.resuming.targets[c.targetIndex()]
	for _, i := range target.channels {
		each(&cursors[i])
	}
	if c.e.cfg.Channels > 1 {
		each(&cursors[len(cursors)-1])
	}
	for _, i := range target.implied {
		each(&cursors[i])
	}
}

// cursor returns the one of a channel, nil if the client does not follow it.
func (c *client) cursor(channel string) (found *cursor) {
	e := c.e
	i := slices.Index(e.resuming.names, channel)
	if i < 0 && e.cfg.Channels > 1 {
		e.want = message.AppendChannel(e.want[:0], e.cfg.Run, c.channel())
		if string(e.want) == channel {
			i = e.resuming.stride - 1
		}
	}
	if i < 0 {
		return nil
	}
	want := &c.cursors()[i]
	c.follows(func(cur *cursor) {
		if cur == want {
			found = cur
		}
	})
	return found
}

// appendSince appends to a request's query from where on the channels are to be
// delivered, and notes what the answers must be about. separator is ? or &.
func (c *client) appendSince(dst []byte, separator byte) []byte {
	e := &c.e.resuming.epochs
	if c.flags&replaced != 0 { // another client, which has seen nothing
		clear(c.cursors())
	}
	knows := false
	c.follows(func(cur *cursor) {
		cur.awaits = start
		knows = knows || cur.epoch != 0
	})
	if !knows {
		return append(append(dst, separator), "since="...)
	}
	for _, i := range c.e.resuming.targets[c.targetIndex()].implied {
		dst = append(append(dst, separator), "channel="...)
		dst = append(dst, url.QueryEscape(c.e.resuming.names[i])...)
		separator = '&'
	}
	c.follows(func(cur *cursor) {
		dst = append(append(dst, separator), "since="...)
		dst = cur.appendPosition(dst, e)
		separator = '&'
		if cur.epoch != 0 {
			cur.awaits = recovery
		}
	})
	return dst
}

// resumes counts what a connection that has just opened has asked for.
func (c *client) resumes() {
	if c.e.resuming == nil {
		return
	}
	c.follows(func(cur *cursor) {
		if cur.awaits == recovery {
			c.e.counts.Resume.Asked++
		}
	})
}

// stopsResuming counts what a connection that is no longer open was not told.
func (c *client) stopsResuming() {
	if c.e.resuming == nil {
		return
	}
	c.follows(c.unanswered)
}

// unanswered gives up waiting for the word about a channel.
func (c *client) unanswered(cur *cursor) {
	if cur.awaits == recovery {
		c.e.counts.Resume.Unanswered++
	}
	cur.awaits = nothing
}
