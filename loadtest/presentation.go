//go:build linux

package main

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/access"
)

// presentation is a scenario.Client with its files read.
type presentation struct {
	handshake engine.Handshake
	query     url.Values // to add to the targets'
	tls       engine.TLS
}

// present reads the files.
func present(c *scenario.Client) (p presentation, err error) {
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		p.handshake.Headers = append(p.handshake.Headers, engine.Header{Name: name, Value: c.Headers[name]})
	}
	if err := loadToken(c, &p); err != nil {
		return p, err
	}
	p.handshake.Offered = append(p.handshake.Offered, c.Subprotocols()...)
	p.handshake.Accepted = append(p.handshake.Accepted, c.Subprotocols()...)
	p.tls.Insecure = c.Insecure
	if c.CA == "" {
		return p, nil
	}
	if p.tls.CA, err = os.ReadFile(c.CA); err != nil {
		return p, fmt.Errorf("-ca: %w", err)
	}
	if len(p.tls.CA) == 0 {
		return p, fmt.Errorf("-ca %q: it is empty", c.CA)
	}
	if _, err = p.tls.Roots(); err != nil {
		return p, fmt.Errorf("-ca %q: %w", c.CA, err)
	}
	return p, nil
}

func loadToken(c *scenario.Client, p *presentation) error {
	if !c.HasToken() {
		return nil
	}
	token, key := c.Token, "-token"
	if c.TokenFile != "" {
		key = "-token-file"
		b, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return fmt.Errorf("-token-file: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	switch { // the token itself is not for a terminal or a log
	case token == "":
		return fmt.Errorf("-token-file %q: it is empty", c.TokenFile)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return fmt.Errorf("%s: a token is one word of ASCII characters", key)
	case c.TokenIn == scenario.InSubprotocol && !scenario.IsToken(token):
		return fmt.Errorf("%s: the token has characters that no subprotocol may have: use -token-in header or query", key)
	}
	switch c.TokenIn {
	case scenario.InQuery:
		p.query = url.Values{"access_token": {token}}
	case scenario.InSubprotocol:
		p.handshake.Offered = []string{access.Subprotocol, token}
		p.handshake.Accepted = []string{access.Subprotocol}
	default:
		p.handshake.Headers = append(p.handshake.Headers, engine.Header{Name: "Authorization", Value: "Bearer " + token})
	}
	return nil
}

// checkTLS refuses what would have no effect.
func checkTLS(c *scenario.Client, used bool) error {
	switch {
	case !used && c.CA != "":
		return fmt.Errorf("-ca %q: no target has wss://", c.CA)
	case !used && c.Insecure:
		return errors.New("-insecure: no target has wss://")
	}
	return nil
}
