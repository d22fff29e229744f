//go:build linux

package engine

import (
	"errors"
	"net/netip"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

type state uint8

const (
	unused state = iota
	connecting
	handshaking
	open
	leaving // a close frame is out, ours or our answer
	away    // dials again when its time comes
	ended
)

type flags uint8

const (
	waited    flags = 1 << iota // counted in Engine.waiting
	listener                    // must get every broadcast
	affected                    // got one twice or out of order
	lostPeer                    // the connection ended before we meant it to
	answered                    // the server has sent its part of the closing handshake
	stalled                     // does not read, or has only just begun again
	returning                   // on its way back; Engine.absent knows more
	replaced                    // of returning: it comes back as another client
)

// client is one connection. A million of them are a hundred megabytes, so what
// can be worked out again (key, target, expected reply) is not kept.
type client struct {
	netpoll.Conn
	e        *Engine
	partial  *partial  // nil unless part of an answer, frame or message has arrived
	exchange *exchange // nil unless an echo request is out
	// since is when connecting or the handshake was meant to begin, and of a
	// listener from when on it must get broadcasts; since Engine.base.
	since time.Duration
	seen  seen
	index uint32 // in Engine.clients
	life  uint16 // connections that it has had before this one
	state state
	flags flags
}

// number is the client's number in the whole run.
func (c *client) number() uint64 {
	return uint64(c.e.cfg.Offset) + uint64(c.index)*uint64(c.e.cfg.Stride)
}

// turn is the client's number among those of its host, all workers together. What
// is dealt out there, targets and sources, goes by it.
func (c *client) turn() uint64 { return c.number() / uint64(max(1, c.e.cfg.Hosts)) }

// targetIndex is that of the present connection's target.
func (c *client) targetIndex() int {
	turn := c.turn()
	if r := c.e.cfg.Reconnect; r != nil && r.Elsewhere {
		turn += uint64(c.life)
	}
	return int(turn % uint64(len(c.e.cfg.Targets)))
}

func (c *client) target() *Target { return &c.e.cfg.Targets[c.targetIndex()] }

// source takes a target's addresses in turn; the zero Addr lets the kernel choose.
func (c *client) source() netip.Addr {
	sources := c.target().Sources
	if len(sources) == 0 {
		return netip.Addr{}
	}
	round := c.turn() / uint64(len(c.e.cfg.Targets))
	return sources[round%uint64(len(sources))]
}

func (e *Engine) now() time.Duration { return time.Since(e.base) }

// owe makes the phase wait for c, until settle.
func (c *client) owe() {
	if c.flags&waited == 0 {
		c.flags |= waited
		c.e.waiting++
	}
}

func (c *client) settle() {
	if c.flags&waited != 0 {
		c.flags &^= waited
		c.e.waiting--
	}
}

// dial is the ramp's start of a client.
func (e *Engine) dial(c *client, p pacing) {
	e.counts.Started++
	c.connect(p.intended)
}

// connect dials; that was meant to be at intended.
func (c *client) connect(intended time.Duration) {
	e := c.e
	c.since = intended
	c.state = connecting
	c.flags &^= answered
	c.owe()
	if err := e.loop.Dial(&c.Conn, c, c.source(), c.target().Addr); err != nil {
		c.ends(err)
		return
	}
	c.SetTimer(e.cfg.Timeout)
}

// OnOpen implements netpoll.Handler.
func (c *client) OnOpen() {
	e, now := c.e, c.e.now()
	if c.flags&returning == 0 {
		e.counts.ConnectLatency.Record(now - c.since)
	}
	c.since, c.state = now, handshaking
	c.SetTimer(e.cfg.Timeout)
	if c.target().TLSName != "" {
		c.secure()
		return
	}
	c.upgrade()
}

// upgrade sends the handshake's request.
func (c *client) upgrade() {
	c.e.out = c.appendRequest(c.e.out[:0])
	c.write(c.e.out)
}

// write sends p. A server that lets so much wait is as good as gone.
func (c *client) write(p []byte) {
	write := c.Write
	if s := c.tls(); s != nil {
		write = s.Write
	}
	if err := write(p); errors.Is(err, netpoll.ErrSlowConsumer) {
		c.Abort(err)
	}
}

// OnData implements netpoll.Handler.
func (c *client) OnData(p []byte) {
	if s := c.tls(); s != nil {
		s.Feed(p)
		c.decrypt(s)
		return
	}
	c.received(p)
}

// received takes what the server sent, decrypted.
func (c *client) received(p []byte) {
	switch c.state {
	case handshaking:
		c.handshake(p)
	case open, leaving:
		c.frames(p)
	}
}

// handshake collects the server's answer until it is whole.
func (c *client) handshake(p []byte) {
	e := c.e
	if c.partial != nil {
		c.partial.buf = append(c.partial.buf, p...)
		p = c.partial.buf
	}
	size, err := parseAnswer(p, c.key(), &e.cfg.Handshake)
	switch {
	case err != nil:
		c.Abort(err)
		return
	case size == 0:
		if c.partial == nil {
			c.partial = &partial{buf: append([]byte(nil), p...)}
		}
		return
	}
	c.partial = nil
	c.state = open
	c.StopTimer()
	c.settle()
	e.counts.Open++
	c.resumes()
	if c.flags&returning != 0 {
		c.returned()
	} else {
		e.counts.HandshakeLatency.Record(e.now() - c.since)
		e.counts.Connected++
	}
	if early := p[size:]; len(early) > 0 {
		c.frames(early)
	}
}

// send writes one masked frame.
func (c *client) send(op frame.Opcode, payload []byte) {
	e := c.e
	r := e.rng.Uint32()
	e.out = frame.AppendMasked(e.out[:0], op, [4]byte{byte(r), byte(r >> 8), byte(r >> 16), byte(r >> 24)}, payload)
	c.write(e.out)
}

// message takes one whole message from the server.
func (c *client) message(op frame.Opcode, payload []byte) {
	e := c.e
	fromChannel := true // as far as anybody can tell
	if e.resuming != nil {
		var done bool
		if payload, fromChannel, done = c.headed(payload); done {
			return
		}
	}
	b, verdict := message.ParseBroadcast(payload, e.cfg.Run)
	if !fromChannel && verdict == message.Genuine {
		c.inconsistent("a broadcast without a header")
	}
	switch verdict {
	case message.Genuine:
		c.broadcast(b)
	case message.Damaged:
		e.counts.Broadcast.Corrupted++
		c.sample("broadcast.corrupted", payload)
	case message.Foreign:
		e.counts.Foreign++
	case message.NotBroadcast:
		c.reply(op, payload)
	}
}
