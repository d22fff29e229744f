//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/wsfleet/wsfleet/server/access"
)

// AccessConfig is the part of Config that says who may connect.
type AccessConfig struct {
	JWTKeys               []string
	JWTAudience           string
	JWTIssuer             string
	TrustedProxies        []string
	ProxyProtocol         bool
	ConnectionsPerAddress int
	HandshakesPerAddress  int
	AcceptRate            int
}

func (c *AccessConfig) flags(fs *flag.FlagSet) {
	fs.Var(&listFlag{values: &c.JWTKeys}, "jwt-keys", "`files` of the keys for tokens: PEM public keys (RS256, EdDSA) or raw secrets (HS256), read again on SIGHUP; none means that no token is needed")
	fs.StringVar(&c.JWTAudience, "jwt-audience", "", "the `aud` that tokens must have; empty for any")
	fs.StringVar(&c.JWTIssuer, "jwt-issuer", "", "the `iss` that tokens must have; empty for any")
	fs.Var(&listFlag{values: &c.TrustedProxies}, "trusted-proxies", "`networks` of the balancers whose word on a client's address is taken")
	fs.BoolVar(&c.ProxyProtocol, "proxy-protocol", false, "the trusted proxies send the PROXY protocol (v1 or v2), not X-Forwarded-For")
	fs.IntVar(&c.ConnectionsPerAddress, "max-connections-per-address", 0, "connections that one address may have (IPv6: one /64); behind a balancer set -trusted-proxies; 0 for no limit")
	fs.IntVar(&c.HandshakesPerAddress, "handshakes-per-address", 0, "handshakes a second that one address may do; 0 for no limit")
	fs.IntVar(&c.AcceptRate, "accept-rate", 0, "handshakes a second that the node does; 0 for no limit")
}

// validate says which value can't be used, and why.
func (c *AccessConfig) validate() error {
	if _, err := access.ParsePrefixes(c.TrustedProxies); err != nil {
		return fmt.Errorf("-trusted-proxies %w", err)
	}
	for _, p := range []struct {
		name  string
		value int
		max   int
	}{
		{"max-connections-per-address", c.ConnectionsPerAddress, 1 << 30},
		{"handshakes-per-address", c.HandshakesPerAddress, 1e6},
		{"accept-rate", c.AcceptRate, 1e6},
	} {
		if p.value < 0 || p.value > p.max {
			return fmt.Errorf("-%s %d: want 0 to %d", p.name, p.value, p.max)
		}
	}
	switch {
	case c.ProxyProtocol && len(c.TrustedProxies) == 0:
		return errors.New("-proxy-protocol true: name the balancers in -trusted-proxies")
	case len(c.JWTKeys) == 0 && c.JWTAudience != "":
		return fmt.Errorf("-jwt-audience %q: no token is asked for without -jwt-keys", c.JWTAudience)
	case len(c.JWTKeys) == 0 && c.JWTIssuer != "":
		return fmt.Errorf("-jwt-issuer %q: no token is asked for without -jwt-keys", c.JWTIssuer)
	}
	return nil
}

// listFlag is a flag whose values are separated by commas, or given one at a time.
type listFlag struct {
	values *[]string
	reset  bool // the next value replaces those there are: flags beat the environment
}

// String implements flag.Value.
func (f *listFlag) String() string {
	if f.values == nil {
		return ""
	}
	return strings.Join(*f.values, ",")
}

// Set implements flag.Value.
func (f *listFlag) Set(s string) error {
	if f.reset {
		*f.values, f.reset = nil, false
	}
	*f.values = append(*f.values, splitList(s)...)
	return nil
}

func splitList(s string) (list []string) {
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}
