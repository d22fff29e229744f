// Package access decides who may connect: by address, by rate and by token. It
// knows requests and addresses, but neither sockets nor WebSocket. Everything in
// it may be used from several goroutines at once.
package access

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// Config of a Gate. A limit of 0 is no limit.
type Config struct {
	// Tokens, if set, demands a valid token of every handshake.
	Tokens *Tokens
	// TrustedProxies are the balancers whose word on the client's address is
	// taken.
	TrustedProxies []netip.Prefix
	// ProxyProtocol: connections from TrustedProxies begin with a PROXY
	// protocol header. Without it they say X-Forwarded-For.
	ProxyProtocol bool
	// ConnectionsPerAddress bounds the connections open at once.
	ConnectionsPerAddress int
	// HandshakesPerAddress bounds the handshakes a second.
	HandshakesPerAddress int
	// HandshakeRate bounds the handshakes a second of all addresses.
	HandshakeRate int
	// RetryAfter is the least that a refused client is told to wait.
	RetryAfter time.Duration
}

// Hold is what a Gate remembers of a connection, opaque to others. 0 is nothing.
type Hold uint32

// Holds that are no ticket of the address table.
const (
	noHold Hold = iota
	// holdForwarded: a trusted proxy, whose X-Forwarded-For names the client.
	holdForwarded
	// holdPreamble: a trusted proxy that owes its PROXY protocol header.
	holdPreamble
	firstTicket
)

// Peer knows the address of the other end of a connection. Asking it is a system
// call.
type Peer interface {
	RemoteAddr() (netip.AddrPort, error)
}

// Gate decides on connections, in the order of its methods.
type Gate struct {
	cfg       Config
	addresses *addresses // nil if no limit needs it
	rate      *rate      // nil if there is no such limit
	start     time.Time
	now       func() time.Time
}

// New returns a gate.
func New(cfg Config) *Gate {
	g := &Gate{cfg: cfg, start: time.Now(), now: time.Now}
	if cfg.ConnectionsPerAddress > 0 || cfg.HandshakesPerAddress > 0 {
		g.addresses = newAddresses(cfg.ConnectionsPerAddress, cfg.HandshakesPerAddress)
	}
	if cfg.HandshakeRate > 0 {
		g.rate = newRate(cfg.HandshakeRate)
	}
	return g
}

// clock is the time since the gate was made.
func (g *Gate) clock() time.Duration { return g.now().Sub(g.start) }

// Arrive is asked about a connection that has just been accepted. An error that
// is no *Refusal means that the peer is gone already.
func (g *Gate) Arrive(peer Peer) (Hold, error) {
	if g.addresses == nil && !g.cfg.ProxyProtocol {
		return noHold, nil
	}
	addr, err := peer.RemoteAddr()
	if err != nil {
		return noHold, fmt.Errorf("ask for the peer's address: %w", err)
	}
	switch {
	case !contains(g.cfg.TrustedProxies, addr.Addr()):
		return g.arrive(addr.Addr())
	case g.cfg.ProxyProtocol:
		return holdPreamble, nil
	default:
		return holdForwarded, nil
	}
}

func (g *Gate) arrive(client netip.Addr) (Hold, error) {
	if g.addresses == nil {
		return noHold, nil
	}
	hold, ok := g.addresses.arrive(client, g.clock())
	if !ok {
		return noHold, g.tooManyConnections()
	}
	return hold, nil
}

// Preamble is asked about the first bytes p of a connection until its request is
// whole, and returns how many of them come before the request: -1 while that
// cannot be said yet.
func (g *Gate) Preamble(hold Hold, p []byte) (n int, next Hold, err error) {
	if hold != holdPreamble {
		return 0, hold, nil
	}
	n, source, err := ParseProxy(p)
	switch {
	case err != nil:
		return 0, hold, &Refusal{Cause: CauseProxyHeader, Text: err.Error()}
	case n == 0:
		return -1, hold, nil
	case !source.IsValid():
		return n, noHold, nil // the proxy speaks for itself: its health check
	}
	next, err = g.arrive(source.Addr())
	return n, next, err
}

// Admit is asked about a well-formed handshake. The hold it returns replaces the
// one it got, also if it refuses. The connection must end at expires, unless
// that is zero.
func (g *Gate) Admit(hold Hold, r *http.Request) (next Hold, expires time.Time, err error) {
	if hold == holdForwarded {
		if hold, err = g.forwarded(r); err != nil {
			return hold, expires, err
		}
	}
	// The cheap limits first, and one address before all: it must not use up
	// what is there for the others.
	if hold >= firstTicket {
		if wait, ok := g.addresses.handshake(hold, g.clock()); !ok {
			return hold, expires, &Refusal{
				Cause: CauseAddressRate, Text: fmt.Sprintf("more than %d handshakes a second from your address", g.cfg.HandshakesPerAddress),
				RetryAfter: g.later(wait),
			}
		}
	}
	if g.rate != nil {
		if wait, ok := g.rate.take(g.clock()); !ok {
			return hold, expires, &Refusal{Cause: CauseRate, Text: "too many handshakes at once", RetryAfter: g.later(wait)}
		}
	}
	if g.cfg.Tokens != nil {
		if expires, err = g.cfg.Tokens.check(r); err != nil {
			return hold, expires, err
		}
	}
	if hold >= firstTicket {
		admitted, ok := g.addresses.admit(hold, g.clock())
		if !ok {
			return hold, expires, g.tooManyConnections()
		}
		hold = admitted
	}
	return hold, expires, nil
}

func (g *Gate) forwarded(r *http.Request) (Hold, error) {
	client, err := forwardedFor(r.Header, g.cfg.TrustedProxies)
	if err != nil {
		return noHold, err
	}
	if !client.IsValid() {
		return noHold, nil // the proxy speaks for itself
	}
	return g.arrive(client)
}

// Leave is told of the end of every connection that Arrive did not refuse.
func (g *Gate) Leave(hold Hold) {
	if hold >= firstTicket {
		g.addresses.leave(hold, g.clock())
	}
}

// Addresses returns how many addresses are tracked.
func (g *Gate) Addresses() int {
	if g.addresses == nil {
		return 0
	}
	return g.addresses.size()
}

// later adds to wait what a refused client waits at the least, with jitter: those
// refused together must not come back together.
func (g *Gate) later(wait time.Duration) time.Duration {
	return wait + g.cfg.RetryAfter + jitter(g.cfg.RetryAfter)
}

func (g *Gate) tooManyConnections() error {
	return &Refusal{
		Cause: CauseAddressConnections, Text: fmt.Sprintf("more than %d connections from your address", g.cfg.ConnectionsPerAddress),
		RetryAfter: g.later(0),
	}
}
