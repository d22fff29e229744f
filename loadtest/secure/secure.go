//go:build linux

// Package secure is the TLS of clients on an event loop. crypto/tls does it all; this
// package lets it run without a goroutine per connection: only the handshake has
// one, and what arrives later is decrypted on the loop.
package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"runtime"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

// ErrWouldBlock says that what has arrived holds no more whole record.
var ErrWouldBlock error = wouldBlock{}

// Dialer is what the connections of one loop have in common.
type Dialer struct {
	loop  *netpoll.Loop
	base  *tls.Config
	names map[string]*tls.Config // by the name to verify
	// turns bounds how many handshakes compute at the same time: the loop
	// shall not have to wait behind thousands of them for a processor.
	turns chan struct{}
}

// NewDialer returns a Dialer for a loop. roots are those that certificates must
// lead to, nil for the system's; insecure takes any certificate.
func NewDialer(loop *netpoll.Loop, roots *x509.CertPool, insecure bool) *Dialer {
	return &Dialer{
		loop: loop,
		base: &tls.Config{
			RootCAs: roots, InsecureSkipVerify: insecure,
			NextProtos: []string{"http/1.1"}, // a WebSocket begins as HTTP/1.1, RFC 6455 section 4.1
		},
		names: map[string]*tls.Config{},
		turns: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// config returns the one that all connections to serverName share.
func (d *Dialer) config(serverName string) *tls.Config {
	c := d.names[serverName]
	if c == nil {
		c = d.base.Clone()
		c.ServerName = serverName
		d.names[serverName] = c
	}
	return c
}

// Conn is TLS over an established netpoll.Conn. Only the loop may touch it.
type Conn struct {
	tls   *tls.Conn
	under transport
}

// Client begins the handshake over conn; serverName is sent (SNI, unless it is an
// address) and verified. done is called on the loop with the outcome, unless End
// comes first.
func (d *Dialer) Client(conn *netpoll.Conn, serverName string, done func(error)) *Conn {
	h := newHandshake(d.turns)
	c := &Conn{under: transport{loop: d.loop, conn: conn, handshake: h}}
	c.tls = tls.Client(&c.under, d.config(serverName))
	go func() {
		h.takeTurn()
		err := c.tls.Handshake()
		h.endTurn()
		d.loop.Post(func() {
			if c.under.ended {
				return
			}
			c.under.handshake, c.under.in = nil, h.left()
			done(err)
		})
	}()
	return c
}

// Feed hands over bytes that have arrived. They are valid until the loop's next
// read: Read comes until ErrWouldBlock.
func (c *Conn) Feed(p []byte) {
	if h := c.under.handshake; h != nil {
		h.feed(p)
		return
	}
	c.under.in = p
}

// Read decrypts into p, or returns ErrWouldBlock. io.EOF says that the server has
// ended the stream in the way of TLS; other errors are final too.
func (c *Conn) Read(p []byte) (int, error) {
	if c.under.handshake != nil {
		return 0, ErrWouldBlock
	}
	return c.tls.Read(p)
}

// Write encrypts p and sends it. The errors are those of netpoll.Conn.Write.
func (c *Conn) Write(p []byte) error {
	_, err := c.tls.Write(p)
	return err
}

// PeerEnded says that conn has been closed with err. It reports whether done is
// still to come: the handshake knows better why, such as an alert that came before
// the end of the stream.
func (c *Conn) PeerEnded(err error) bool {
	h := c.under.handshake
	if h == nil || c.under.ended {
		return false
	}
	h.end(err)
	return true
}

// End says that conn has been closed by this side, with err.
func (c *Conn) End(err error) {
	c.under.ended = true
	if h := c.under.handshake; h != nil {
		h.end(err)
	}
}

// transport is the net.Conn that crypto/tls gets: while the handshake goes on it
// blocks, afterwards it never does.
type transport struct {
	net.Conn  // nil: crypto/tls asks for no address or deadline in what is used here
	loop      *netpoll.Loop
	conn      *netpoll.Conn
	handshake *handshake // nil afterwards
	in        []byte     // has arrived; the loop's
	ended     bool
}

// Read is called in the goroutine of the handshake, then on the loop.
func (t *transport) Read(p []byte) (int, error) {
	if t.handshake != nil {
		return t.handshake.read(p)
	}
	n := copy(p, t.in)
	if t.in = t.in[n:]; n == 0 {
		t.in = nil
		return 0, ErrWouldBlock
	}
	return n, nil
}

// Write is called in the goroutine of the handshake, then on the loop.
func (t *transport) Write(p []byte) (int, error) {
	if t.handshake == nil {
		if err := t.conn.Write(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	p = append([]byte(nil), p...)
	t.loop.Post(func() {
		if !t.ended && !t.conn.Closed() {
			_ = t.conn.Write(p) // a failure closes conn, which ends the handshake
		}
	})
	return len(p), nil
}

// wouldBlock is a net.Error of the kind after which crypto/tls goes on.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "secure: no whole record has arrived" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// errTooMuch: no handshake is that long.
var errTooMuch = errors.New("secure: handshake is too long")
