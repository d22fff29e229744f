//go:build linux

package engine

import (
	"errors"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// leave is the closing phase's start of a client.
func (e *Engine) leave(c *client) {
	switch {
	case c.state != open:
	case e.cfg.Close.How == scenario.Abort:
		c.reset()
	default:
		c.closeHandshake()
	}
}

// reset ends an open connection at once.
func (c *client) reset() {
	c.isNotOpen()
	c.flags |= answered // nothing is left to answer
	c.Abort(netpoll.ErrClosed)
}

// closeHandshake begins to end an open connection as RFC 6455 has it.
func (c *client) closeHandshake() {
	c.isNotOpen()
	c.owe()
	c.SetTimer(closeWait)
	c.send(frame.Close, frame.ClosePayload(frame.CloseNormal, ""))
}

// giveUp ends what is not finished when the closing begins.
func (c *client) giveUp() {
	switch c.state {
	case connecting, handshaking:
		c.Abort(errInterrupted)
	case away:
		c.staysAway()
	}
	c.echoLost()
	if c.flags&stalled != 0 { // it has to read the server's part of the closing
		c.flags &^= stalled
		c.ResumeReading()
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
	c.isNotOpen()
	c.echoLost()
	c.flags |= lostPeer | answered
	class := classify(why)
	if c.flags&stalled != 0 {
		c.flags &^= stalled
		e.counts.Stall.Closed++
		e.counts.StallClosed.Add(class)
		c.sampleError("stall_closed."+class, why)
		return
	}
	e.counts.Closed.Add(class)
	c.sampleError("closed."+class, why)
	if e.cfg.Reconnect != nil && !e.closing {
		c.cut(e.lose(), e.now()+jitter(e.rng, e.cfg.Reconnect.Within), false)
	}
}

// isNotOpen is the end of an open connection, whoever ends it.
func (c *client) isNotOpen() {
	c.e.counts.Open--
	c.state = leaving
	c.stopsResuming()
}

// OnTimer implements netpoll.Handler.
func (c *client) OnTimer() {
	switch c.state {
	case open:
		if c.exchange != nil {
			c.echoEnds(&c.e.counts.Echo.Timeout)
			c.sampleError("echo.timeout", errTimeout)
		}
	default:
		c.Abort(errTimeout)
	}
}

// OnClose implements netpoll.Handler.
func (c *client) OnClose(err error) {
	if s := c.tls(); s != nil && c.tlsEnds(s, err) {
		return
	}
	c.ends(err)
}

// ends counts the end of a connection by what it was doing. It may be called by the
// loop from within anything that c asked of it, so that a client that comes back
// dials from a task of its own.
func (c *client) ends(err error) {
	e := c.e
	c.partial = nil
	switch c.state {
	case connecting, handshaking:
		stage := "dial."
		if c.state == handshaking {
			stage = "handshake."
		}
		if c.flags&returning != 0 {
			c.failsToReturn(stage, err)
			return
		}
		e.counts.Failed++
		e.counts.Failures.Add(stage + classify(err))
		c.sampleError(stage+classify(err), err)
	case open:
		if errors.Is(err, netpoll.ErrClosed) { // Finish before its turn to leave
			c.isNotOpen()
			break
		}
		c.losesPeer(err)
		if c.flags&returning != 0 {
			c.comesBack()
			return
		}
	case leaving:
		if c.flags&answered == 0 {
			e.counts.CloseFailures.Add(classify(err))
			c.sampleError("close."+classify(err), err)
		}
		if c.flags&returning != 0 {
			c.comesBack()
			return
		}
	}
	c.state = ended
	c.settle()
}
