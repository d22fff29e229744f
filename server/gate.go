//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/wsfleet/wsfleet/server/access"
	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
)

// gate is access.Gate as sessions see it.
type gate struct {
	*access.Gate
	tokens       *access.Tokens // nil if none is asked for
	reloadErrors atomic.Uint64
}

// newGate reads the keys, and makes the gate of a validated configuration.
func newGate(cfg Config) (*gate, error) {
	g := &gate{}
	prefixes, err := access.ParsePrefixes(cfg.Access.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("-trusted-proxies %w", err)
	}
	if len(cfg.Access.JWTKeys) > 0 {
		g.tokens, err = access.LoadTokens(cfg.Access.JWTKeys, cfg.Access.JWTAudience, cfg.Access.JWTIssuer)
		if err != nil {
			return nil, fmt.Errorf("-jwt-keys %w", err)
		}
	}
	g.Gate = access.New(access.Config{
		Tokens:                g.tokens,
		TrustedProxies:        prefixes,
		ProxyProtocol:         cfg.Access.ProxyProtocol,
		ConnectionsPerAddress: cfg.Access.ConnectionsPerAddress,
		HandshakesPerAddress:  cfg.Access.HandshakesPerAddress,
		HandshakeRate:         cfg.Access.AcceptRate,
		RetryAfter:            cfg.RetryAfter,
	})
	return g, nil
}

// keys returns how many keys tokens are checked with.
func (g *gate) keys() int {
	if g.tokens == nil {
		return 0
	}
	return g.tokens.Keys()
}

// Arrive implements session.Gate.
func (g *gate) Arrive(peer *netpoll.Conn) (session.Hold, error) {
	hold, err := g.Gate.Arrive(peer)
	return session.Hold(hold), refusal(err)
}

// Preamble implements session.Gate.
func (g *gate) Preamble(hold session.Hold, p []byte) (n int, next session.Hold, err error) {
	n, after, err := g.Gate.Preamble(access.Hold(hold), p)
	return n, session.Hold(after), refusal(err)
}

// Admit implements session.Gate.
func (g *gate) Admit(hold session.Hold, r *http.Request) (next session.Hold, expires time.Time, err error) {
	after, expires, err := g.Gate.Admit(access.Hold(hold), r)
	return session.Hold(after), expires, refusal(err)
}

// Leave implements session.Gate.
func (g *gate) Leave(hold session.Hold) { g.Gate.Leave(access.Hold(hold)) }

var rejections = map[access.Cause]session.Rejection{
	access.CauseTokenMissing:       session.RejectTokenMissing,
	access.CauseTokenInvalid:       session.RejectTokenInvalid,
	access.CauseAddressConnections: session.RejectAddressConnections,
	access.CauseAddressRate:        session.RejectAddressRate,
	access.CauseRate:               session.RejectRate,
	access.CauseProxyHeader:        session.RejectProxyHeader,
	access.CauseForwarded:          session.RejectMalformed,
}

// refusal says in the words of a session what access refuses.
func refusal(err error) error {
	if r := new(access.Refusal); errors.As(err, &r) {
		return &session.Refusal{Why: rejections[r.Cause], Text: r.Text, RetryAfter: r.RetryAfter, Challenge: r.Challenge}
	}
	return err
}
