//go:build linux

package session

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// codec is gorilla/websocket used as what it is best at, turning frames into
// messages and messages into frames, without one of its connections for each of
// ours. Between two whole messages a gorilla Conn holds no state of its peer, so
// one of them, over an in-memory pipe, serves every connection of a loop: that
// is a kilobyte a connection less than a Conn each.
//
// A codec belongs to one goroutine at a time.
type codec struct {
	conn *websocket.Conn
	pipe pipe
	msg  []byte // the message decoded last
}

// keepScratch is the largest buffer a codec keeps from one message to the next.
const keepScratch = 64 << 10

func newCodec() *codec {
	c := &codec{}
	c.connect()
	return c
}

// connect gives the codec a fresh gorilla Conn.
func (c *codec) connect() {
	// The upgrade of a request that is known to be good cannot fail.
	r := &http.Request{Method: http.MethodGet, Header: http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}}
	w := &response{
		conn: &c.pipe,
		brw:  bufio.NewReadWriter(bufio.NewReaderSize(&c.pipe, 4096), bufio.NewWriterSize(&c.pipe, 4096)),
	}
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		panic(fmt.Sprintf("session: gorilla refuses a plain upgrade: %v", err))
	}
	c.conn = conn
	c.pipe.out = nil
}

// decode returns the message whose frames (one or more, nothing else) are raw.
// The payload is the codec's until the next call.
func (c *codec) decode(raw []byte) (messageType int, payload []byte, err error) {
	c.pipe.in = raw
	messageType, r, err := c.conn.NextReader()
	if err != nil {
		return 0, nil, c.broken(err)
	}
	if cap(c.msg) > keepScratch || cap(c.msg) == 0 {
		c.msg = make([]byte, 0, 4096)
	}
	p := c.msg[:0]
	for {
		if len(p) == cap(p) {
			p = append(p, 0)[:len(p)]
		}
		n, err := r.Read(p[len(p):cap(p)])
		p = p[:len(p)+n]
		if err == io.EOF {
			c.msg = p
			return messageType, p, nil
		}
		if err != nil {
			return 0, nil, c.broken(err)
		}
	}
}

// broken replaces the gorilla Conn: errors are final to it, and it is not the
// other connections' error.
func (c *codec) broken(err error) error {
	c.connect()
	return err
}

// encode appends to dst the frame of a message sent by a server.
func (c *codec) encode(dst []byte, messageType int, payload []byte) []byte {
	c.pipe.out = dst
	if err := c.conn.WriteMessage(messageType, payload); err != nil {
		// The pipe takes everything; only a wrong type gets here.
		panic(fmt.Sprintf("session: encode a message of type %d: %v", messageType, err))
	}
	dst, c.pipe.out = c.pipe.out, nil
	return dst
}

// pipe is the net.Conn beneath a gorilla Conn: it reads from in and appends what
// is written to out.
type pipe struct {
	in, out []byte
}

func (p *pipe) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(b, p.in)
	p.in = p.in[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.out = append(p.out, b...)
	return len(b), nil
}

func (p *pipe) Close() error                     { return nil }
func (p *pipe) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (p *pipe) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
