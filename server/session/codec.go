//go:build linux

package session

import (
	"bufio"
	"errors"
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
	conn     *websocket.Conn
	pipe     pipe
	read     *bufio.Reader // conn's, over pipe
	compress bool
	msg      []byte // the message decoded last
}

// errTooLong says that a message is longer than decode was told to take.
var errTooLong = errors.New("message is too long")

func newCodec() *codec { return openCodec(false) }

// newDeflateCodec returns a codec that compresses what it encodes, and takes
// both compressed and plain messages.
func newDeflateCodec() *codec { return openCodec(true) }

func openCodec(compress bool) *codec {
	c := &codec{compress: compress}
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
	c.read = bufio.NewReaderSize(&c.pipe, 4096)
	w := &response{conn: &c.pipe, brw: bufio.NewReadWriter(c.read, bufio.NewWriterSize(&c.pipe, 4096))}
	u := websocket.Upgrader{EnableCompression: c.compress}
	if c.compress {
		r.Header[extensionsHeader] = []string{permessageDeflate}
		u.WriteBufferSize = deflateWriteBuffer
	}
	conn, err := u.Upgrade(w, r, nil)
	if err != nil {
		panic(fmt.Sprintf("session: gorilla refuses a plain upgrade: %v", err))
	}
	c.conn = conn
	c.pipe = pipe{}
}

// decode returns the message whose frames (one or more, nothing else) are raw, if
// it has at most limit bytes: compressed, it may be a thousand times as long as
// raw. The payload is the codec's until the next call.
func (c *codec) decode(raw []byte, limit int) (messageType int, payload []byte, err error) {
	c.pipe.in = raw
	messageType, r, err := c.conn.NextReader()
	if err != nil {
		return 0, nil, c.broken(err)
	}
	if n := max(len(raw), 4096); cap(c.msg) < n || cap(c.msg) > max(n, keepScratch) {
		c.msg = make([]byte, 0, n) // raw is longer than an uncompressed payload
	}
	p := c.msg[:0]
	for {
		if len(p) == cap(p) {
			p = append(p, 0)[:len(p)]
		}
		n, err := r.Read(p[len(p):min(cap(p), limit+1)])
		p = p[:len(p)+n]
		if len(p) > limit {
			return 0, nil, c.broken(errTooLong)
		}
		if err == io.EOF {
			c.msg = p
			return messageType, p, c.skipRest()
		}
		if err != nil {
			return 0, nil, c.broken(err)
		}
	}
}

// emptyMessage is a masked binary frame without a payload.
var emptyMessage = []byte{0x82, 0x80, 0, 0, 0, 0}

// skipRest drops what follows the end of the compressed data in a frame: a sender
// may end its data itself, and a byte remains (RFC 7692 section 7.2.3.4). Left
// where it is, it would be read as part of another peer's message.
func (c *codec) skipRest() error {
	if c.read.Buffered() == 0 && len(c.pipe.in) == 0 {
		c.pipe.in = nil // it may be all that holds on to a large buffer
		return nil
	}
	c.pipe.next = emptyMessage
	_, r, err := c.conn.NextReader() // skips the rest of the frame
	if err == nil {
		_, err = r.Read(make([]byte, 1))
	}
	if !errors.Is(err, io.EOF) {
		return c.broken(fmt.Errorf("skip the end of a compressed message: %w", err))
	}
	return nil
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
	next    []byte // is read after in
}

func (p *pipe) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		p.in, p.next = p.next, nil
	}
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
