//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

const (
	// numberSize is the start of each message: its number on the channel, in
	// hexadecimal digits.
	numberSize = 8
	// greeting is no message: it only shows that a channel works.
	greeting = "hello"
)

// channel is one with its members. Since all of them get its messages in order, the
// messages also get through in order.
type channel struct {
	publisher *client
	members   int
	heard     bool
	sent      uint32
	first     uint32   // the oldest of those under way
	underWay  []flight // first, first+1, …
}

// flight is a message under way.
type flight struct {
	since time.Time
	left  int // deliveries to come
}

func (ch *channel) publish(now time.Time) {
	t := ch.publisher.t
	t.text = append(fmt.Appendf(t.text[:0], "%0*x", numberSize, ch.sent), t.padding...)
	ch.sent++
	ch.underWay = append(ch.underWay, flight{now, ch.members})
	ch.publisher.say(t.text)
}

// delivered counts a delivery of message n.
func (ch *channel) delivered(t *talk, n uint32) {
	if t.rec != nil {
		t.rec.deliveries++
	}
	f := &ch.underWay[n-ch.first]
	if f.left--; f.left > 0 {
		return
	}
	since := f.since
	ch.underWay = ch.underWay[1:]
	ch.first++
	t.through(since)
}

// client is one connection.
type client struct {
	netpoll.Conn
	t       *talk
	channel *channel
	number  int    // of the channel
	next    uint32 // message to come
	open    bool
	partial []byte // of the answer or of a frame
}

// dial makes the next connection.
func (t *talk) dial() {
	if t.dialed == len(t.clients) {
		return
	}
	c := &t.clients[t.dialed]
	t.dialed++
	if err := t.loop.Dial(&c.Conn, c, t.cfg.target.Addr().Unmap(), t.cfg.target); err != nil {
		t.fail(err)
	}
}

// OnOpen implements netpoll.Handler.
func (c *client) OnOpen() {
	c.write(fmt.Appendf(nil, "GET /?channel=talk-%d HTTP/1.1\r\nHost: talk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGFsayB0byBhIG5vZGUhIQ==\r\n\r\n", c.number))
}

// OnData implements netpoll.Handler.
func (c *client) OnData(p []byte) {
	if len(c.partial) > 0 {
		c.partial = append(c.partial, p...)
		p = c.partial
	}
	if !c.open {
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			c.partial = append(c.partial[:0], p...)
			return
		}
		if !bytes.HasPrefix(p, []byte("HTTP/1.1 101 ")) {
			c.t.fail(fmt.Errorf("the node refuses a connection: %.100q", p))
			return
		}
		c.open, p = true, p[end+4:]
		c.t.opened++
		c.t.dial()
		c.t.look()
	}
	rest := c.frames(p)
	if len(rest) > 0 {
		c.partial = append(c.partial[:0], rest...)
	} else {
		c.partial = nil
	}
}

// frames takes the whole ones and returns what is left.
func (c *client) frames(p []byte) (rest []byte) {
	for c.t.failed == nil {
		h, size, err := frame.Parse(p)
		if err != nil {
			c.t.fail(err)
			return nil
		}
		if size == 0 || h.Length > uint64(len(p)-size) {
			return p
		}
		payload := p[size : size+int(h.Length)]
		p = p[size+int(h.Length):]
		switch {
		case h.Opcode == frame.Text && h.Final:
			c.message(payload)
		case h.Opcode == frame.Ping:
			c.write(frame.AppendMasked(nil, frame.Pong, [4]byte{}, payload))
		default:
			c.t.fail(fmt.Errorf("unexpected frame %+v: %.100q", h, payload))
		}
	}
	return nil
}

// message holds one against what must come next.
func (c *client) message(p []byte) {
	if string(p) == greeting {
		if c == c.channel.publisher && !c.channel.heard {
			c.channel.heard = true
			c.t.greeted++
		}
		return
	}
	if len(p) != c.t.cfg.size || !bytes.Equal(p[numberSize:], c.t.padding) {
		c.t.fail(fmt.Errorf("damaged message %.100q", p))
		return
	}
	n, err := strconv.ParseUint(string(p[:numberSize]), 16, 32)
	if err != nil || uint32(n) != c.next {
		c.t.fail(fmt.Errorf("channel %d: message %.8s came to a member that awaits %0*x", c.number, p, numberSize, c.next))
		return
	}
	c.next++
	c.channel.delivered(c.t, uint32(n))
}

// say sends a text message.
func (c *client) say(text []byte) {
	c.t.frame = frame.AppendMasked(c.t.frame[:0], frame.Text, [4]byte{}, text)
	c.write(c.t.frame)
}

func (c *client) write(p []byte) {
	if err := c.Write(p); err != nil {
		c.t.fail(fmt.Errorf("channel %d: %w", c.number, err))
	}
}

// OnTimer implements netpoll.Handler.
func (c *client) OnTimer() {}

// OnClose implements netpoll.Handler.
func (c *client) OnClose(err error) {
	if !errors.Is(err, netpoll.ErrClosed) {
		c.t.fail(fmt.Errorf("channel %d: the connection ended: %w", c.number, err))
	}
}
