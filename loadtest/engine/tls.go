//go:build linux

package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/secure"
)

// maxRecord is the most that one TLS record holds, in bytes; RFC 8446 section 5.1.
const maxRecord = 16 << 10

// TLS says what is verified of targets with it.
type TLS struct {
	CA       []byte `json:"ca,omitempty"`       // PEM; empty for the system's
	Insecure bool   `json:"insecure,omitempty"` // any certificate will do
}

// Roots returns the certificates of CA, nil for the system's.
func (t *TLS) Roots() (*x509.CertPool, error) {
	if len(t.CA) == 0 {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(t.CA) {
		return nil, errors.New("no certificate in PEM form")
	}
	return roots, nil
}

// HasTLS reports whether any target has TLS.
func (c *Config) HasTLS() bool {
	return slices.ContainsFunc(c.Targets, func(t Target) bool { return t.TLSName != "" })
}

// prepareTLS makes room for TLS if any target has it.
func (e *Engine) prepareTLS() error {
	if !e.cfg.HasTLS() {
		return nil
	}
	roots, err := e.cfg.TLS.Roots()
	if err != nil {
		return err
	}
	e.dialer = secure.NewDialer(e.loop, roots, e.cfg.TLS.Insecure)
	e.secured = make([]*secure.Conn, len(e.clients))
	e.plain = make([]byte, maxRecord)
	return nil
}

// tls returns the client's TLS, nil if it has none or its handshake has not begun.
// It is not a field of client because most runs need none.
func (c *client) tls() *secure.Conn {
	if c.e.secured == nil {
		return nil
	}
	return c.e.secured[c.index]
}

// secure begins the TLS handshake, and asks for the WebSocket once it is through.
func (c *client) secure() {
	c.e.secured[c.index] = c.e.dialer.Client(&c.Conn, c.target().TLSName, func(err error) {
		s := c.tls()
		if err == nil && c.Closed() { // by the server, who may have said why
			_, err = s.Read(c.e.plain)
		}
		switch {
		case c.Closed():
			c.e.secured[c.index] = nil
			c.ends(tlsFailure(err))
		case err != nil:
			c.Abort(tlsFailure(err))
		default:
			c.upgrade()
			c.decrypt(s)
		}
	})
}

// decrypt takes all that has arrived whole.
func (c *client) decrypt(s *secure.Conn) {
	for !c.Closed() {
		n, err := s.Read(c.e.plain)
		if n > 0 {
			c.received(c.e.plain[:n])
		}
		switch {
		case err == nil:
		case errors.Is(err, secure.ErrWouldBlock):
			return
		case errors.Is(err, io.EOF):
			c.Close(io.EOF)
		default:
			c.Abort(tlsFailure(err))
		}
	}
}

// tlsEnds takes the end of the TCP connection. It reports whether the TLS handshake
// is yet to say what it came to.
func (c *client) tlsEnds(s *secure.Conn, err error) bool {
	var errno unix.Errno
	peers := errors.Is(err, io.EOF) || errors.As(err, &errno)
	if peers && s.PeerEnded(err) {
		return true
	}
	s.End(err)
	c.e.secured[c.index] = nil
	return false
}

// tlsFailure gives an error of crypto/tls its class.
func tlsFailure(err error) error {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		header   tls.RecordHeaderError
		verify   *tls.CertificateVerificationError
		remote   *net.OpError
	)
	class := "tls_failed"
	switch {
	case err == nil || errors.Is(err, secure.ErrWouldBlock) || errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF // within a record, or a handshake
	case classify(err) != "other":
		return err // of the connection below
	case errors.As(err, &remote) && remote.Op == "remote error":
		class = "tls_alert"
	case errors.As(err, &unknown):
		class = "tls_unknown_ca"
	case errors.As(err, &hostname):
		class = "tls_wrong_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		class = "tls_expired"
	case errors.As(err, &verify):
		class = "tls_certificate"
	case errors.As(err, &header):
		class = "not_tls"
	}
	return &failure{class, err.Error()}
}
