//go:build linux

package engine

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/report"
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
	ended
)

type flags uint8

const (
	waited   flags = 1 << iota // counted in Engine.waiting
	awaited                    // an echo request is out, unanswered
	listener                   // must get every broadcast
	affected                   // got one twice or out of order
	lostPeer                   // the connection ended before we meant it to
	answered                   // the server has sent its part of the closing handshake
)

// client is one connection. A million of them are a hundred megabytes, so what
// can be worked out again (key, target, expected reply) is not kept.
type client struct {
	netpoll.Conn
	e       *Engine
	partial *partial      // nil unless part of an answer, frame or message has arrived
	since   time.Duration // when what is awaited was meant to begin, since Engine.base
	seen    seen
	index   uint32 // in Engine.clients
	state   state
	flags   flags
}

// number is the client's number in the whole run.
func (c *client) number() uint64 {
	return uint64(c.e.cfg.Offset) + uint64(c.index)*uint64(c.e.cfg.Stride)
}

func (c *client) targetIndex() int { return int(c.number() % uint64(len(c.e.cfg.Targets))) }

func (c *client) target() *Target { return &c.e.cfg.Targets[c.targetIndex()] }

// source takes a target's addresses in turn; the zero Addr lets the kernel choose.
func (c *client) source() netip.Addr {
	sources := c.target().Sources
	if len(sources) == 0 {
		return netip.Addr{}
	}
	turn := c.number() / uint64(len(c.e.cfg.Targets))
	return sources[turn%uint64(len(sources))]
}

func (e *Engine) now() time.Duration { return time.Since(e.base) }

// wait makes the phase wait for c, until settle.
func (c *client) wait(timeout time.Duration) {
	c.flags |= waited
	c.e.waiting++
	c.SetTimer(timeout)
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
	e.counts.ConnectPace.Record(p.intended, p.actual)
	c.since = e.start + p.intended
	c.state = connecting
	if err := e.loop.Dial(&c.Conn, c, c.source(), c.target().Addr); err != nil {
		c.ends(err)
		return
	}
	c.wait(e.cfg.Timeout)
}

// OnOpen implements netpoll.Handler.
func (c *client) OnOpen() {
	e, now := c.e, c.e.now()
	e.counts.ConnectLatency.Record(now - c.since)
	c.since, c.state = now, handshaking
	c.SetTimer(e.cfg.Timeout)
	e.out = append(e.out[:0], e.requests[c.targetIndex()]...)
	e.out = append(e.out, key(e.cfg.Seed, c.number())...)
	e.out = append(e.out, "\r\n\r\n"...)
	c.write(e.out)
}

// write sends p. A server that lets so much wait is as good as gone.
func (c *client) write(p []byte) {
	if err := c.Write(p); errors.Is(err, netpoll.ErrSlowConsumer) {
		c.Abort(err)
	}
}

// OnData implements netpoll.Handler.
func (c *client) OnData(p []byte) {
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
	size, err := parseAnswer(p, key(e.cfg.Seed, c.number()))
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
	e.counts.HandshakeLatency.Record(e.now() - c.since)
	e.counts.Connected++
	e.counts.Open++
	if early := p[size:]; len(early) > 0 {
		c.frames(early)
	}
}

// request is the echo round's start of a client.
func (e *Engine) request(c *client, p pacing) {
	if c.state != open || c.flags&awaited != 0 {
		return
	}
	e.counts.EchoPace.Record(p.intended, p.actual)
	e.counts.Echo.Sent++
	c.since = e.start + p.intended
	c.flags |= awaited
	c.wait(e.cfg.Timeout)
	e.want = e.echo.AppendRequest(e.want[:0], c.number(), 0)
	c.send(frame.Text, e.want)
}

// send writes one masked frame.
func (c *client) send(op frame.Opcode, payload []byte) {
	e := c.e
	r := e.rng.Uint32()
	e.out = frame.AppendMasked(e.out[:0], op, [4]byte{byte(r), byte(r >> 8), byte(r >> 16), byte(r >> 24)}, payload)
	c.write(e.out)
}

// echoEnds counts the outcome of the echo request that is out.
func (c *client) echoEnds(outcome *int64) {
	*outcome++
	c.flags &^= awaited
	if c.state == open {
		c.StopTimer()
	}
	c.settle()
}

// message takes one whole message from the server.
func (c *client) message(op frame.Opcode, payload []byte) {
	e := c.e
	b, verdict := message.ParseBroadcast(payload, e.cfg.Run)
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

// reply judges what may be the answer to an echo request.
func (c *client) reply(op frame.Opcode, payload []byte) {
	e := c.e
	if c.flags&awaited == 0 {
		if e.echo.Mentions(payload) {
			e.counts.Echo.Unexpected++
			c.sample("echo.unexpected", payload)
		} else {
			e.counts.Foreign++
		}
		return
	}
	e.want = e.echo.AppendReply(e.want[:0], c.number(), 0)
	switch {
	case op == frame.Text && string(payload) == string(e.want):
		e.counts.EchoLatency.Record(e.now() - c.since)
		c.echoEnds(&e.counts.Echo.OK)
	case e.echo.Resembles(payload, e.want):
		c.echoEnds(&e.counts.Echo.Corrupted)
		c.sample("echo.corrupted", payload)
	default:
		e.counts.Foreign++
	}
}

// broadcast takes a broadcast of this run.
func (c *client) broadcast(b message.Received) {
	counts := &c.e.counts.Broadcast
	if b.Sequence >= c.e.cfg.Broadcasts || c.flags&listener == 0 {
		counts.Corrupted++ // sound, but never published to this connection
		return
	}
	latency := time.Now().UnixNano() - b.Sent
	if latency < 0 {
		counts.AheadOfTime++
	}
	first, behind := c.seen.add(b.Sequence)
	if !first {
		counts.Duplicated++
		c.flags |= affected
		return
	}
	counts.Delivered++
	c.e.counts.BroadcastLatency.Record(time.Duration(latency))
	if behind {
		counts.Reordered++
		c.flags |= affected
	}
}

// leave is the closing phase's start of a client.
func (e *Engine) leave(c *client, _ pacing) {
	if c.state != open {
		return
	}
	e.counts.Open--
	c.state = leaving
	if e.cfg.Abort {
		c.flags |= answered
		c.Abort(netpoll.ErrClosed)
		return
	}
	c.wait(closeWait)
	c.send(frame.Close, frame.ClosePayload(frame.CloseNormal, ""))
}

// giveUp ends what is not finished when the closing begins.
func (c *client) giveUp() {
	switch {
	case c.state == connecting || c.state == handshaking:
		c.Abort(errInterrupted)
	case c.flags&awaited != 0:
		c.echoEnds(&c.e.counts.Echo.Closed)
	}
}

// peerCloses takes the server's close frame.
func (c *client) peerCloses(payload []byte) {
	code, reason, ok := frame.ParseClose(payload)
	if !ok {
		c.violation("malformed close frame")
		return
	}
	if c.state == leaving {
		c.flags |= answered
		return // the server closes the connection, RFC 6455 section 7.1.1
	}
	c.losesPeer(&failure{"code_" + code.String(), "close frame " + code.String() + " " + reason})
	c.send(frame.Close, frame.ClosePayload(code, ""))
	c.SetTimer(closeWait)
}

// violation ends a connection whose server breaks the protocol.
func (c *client) violation(text string) {
	if c.state == open {
		c.losesPeer(&failure{"protocol_error", text})
	} else {
		c.e.counts.CloseFailures.Add("protocol_error")
	}
	c.flags |= answered
	c.send(frame.Close, frame.ClosePayload(frame.CloseProtocolError, text))
	if !c.Closed() {
		c.CloseFlushed()
	}
}

// losesPeer counts the end of an open connection that we did not ask for.
func (c *client) losesPeer(why error) {
	e := c.e
	e.counts.Open--
	if c.flags&awaited != 0 {
		c.echoEnds(&e.counts.Echo.Closed)
	}
	c.state = leaving
	c.flags |= lostPeer | answered
	e.counts.Closed.Add(classify(why))
	c.sampleError("closed."+classify(why), why)
}

// OnTimer implements netpoll.Handler.
func (c *client) OnTimer() {
	switch c.state {
	case open:
		if c.flags&awaited != 0 {
			c.echoEnds(&c.e.counts.Echo.Timeout)
			c.sampleError("echo.timeout", errTimeout)
		}
	default:
		c.Abort(errTimeout)
	}
}

// OnClose implements netpoll.Handler.
func (c *client) OnClose(err error) { c.ends(err) }

// ends counts the end of a connection by what it was doing.
func (c *client) ends(err error) {
	e := c.e
	switch c.state {
	case connecting, handshaking:
		stage := "dial."
		if c.state == handshaking {
			stage = "handshake."
		}
		e.counts.Failed++
		e.counts.Failures.Add(stage + classify(err))
		c.sampleError(stage+classify(err), err)
	case open:
		if errors.Is(err, netpoll.ErrClosed) { // Finish before its turn to leave
			e.counts.Open--
			break
		}
		c.losesPeer(err)
	case leaving:
		if c.flags&answered == 0 {
			e.counts.CloseFailures.Add(classify(err))
			c.sampleError("close."+classify(err), err)
		}
	}
	c.state = ended
	c.partial = nil
	c.settle()
}

// sampleText is how much of a wrong message is kept, in bytes.
const sampleText = 256

func (c *client) sample(class string, payload []byte) {
	if c.e.counts.SampleWanted(class) {
		c.e.counts.AddSample(report.Sample{
			Class: class, Connection: int64(c.number()), Target: c.target().URL,
			Error: "got " + quote(payload),
		})
	}
}

func (c *client) sampleError(class string, err error) {
	if c.e.counts.SampleWanted(class) {
		text := err.Error()
		if errors.Is(err, io.EOF) {
			text = "the server closed the connection without a close frame"
			if c.state == connecting || c.state == handshaking {
				text = "the server closed the connection without an answer"
			}
		}
		c.e.counts.AddSample(report.Sample{Class: class, Connection: int64(c.number()), Target: c.target().URL, Error: text})
	}
}
