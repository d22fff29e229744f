package edgetest

import (
	"net"
	"sync"

	"github.com/wsfleet/wsfleet/server/access"
)

// proxyListener accepts connections that begin with the PROXY protocol, of either version.
type proxyListener struct{ net.Listener }

func (l proxyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &proxyConn{Conn: c}, nil
}

// proxyConn reads the header when it is first asked for something that depends on it.
type proxyConn struct {
	net.Conn
	once   sync.Once
	source net.Addr // the client's
	rest   []byte   // read with the header
	err    error
}

func (c *proxyConn) header() {
	c.source = c.Conn.RemoteAddr()
	var p []byte
	for buf := make([]byte, 512); ; {
		n, err := c.Conn.Read(buf)
		p = append(p, buf[:n]...)
		size, source, parseErr := access.ParseProxy(p)
		switch {
		case parseErr != nil:
			c.err = parseErr
			return
		case size > 0:
			c.rest = p[size:]
			if source.IsValid() {
				c.source = net.TCPAddrFromAddrPort(source)
			}
			return
		case err != nil:
			c.err = err
			return
		}
	}
}

// RemoteAddr is the client's address.
func (c *proxyConn) RemoteAddr() net.Addr {
	c.once.Do(c.header)
	return c.source
}

func (c *proxyConn) Read(p []byte) (int, error) {
	c.once.Do(c.header)
	if c.err != nil {
		return 0, c.err
	}
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
