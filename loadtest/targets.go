//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/engine"
)

// resolveTargets returns every address of every target. query is added to the targets'
// own.
func resolveTargets(ctx context.Context, cfg Config, query url.Values) ([]engine.Target, error) {
	var targets []engine.Target
	for _, text := range cfg.Targets {
		u, err := parseTarget(text)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", text, err)
		}
		addrs, err := resolve(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", text, err)
		}
		t := engine.Target{URL: text, Host: u.Host, Path: pathWith(u, query)}
		if u.Scheme == "wss" {
			t.TLSName = u.Hostname()
		}
		for _, t.Addr = range addrs {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

func parseTarget(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errTarget
	case u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" || u.Fragment != "" || u.User != nil:
		return nil, errTarget
	}
	return u, nil
}

var errTarget = errors.New("want ws://host:port/path or wss://host:port/path")

// pathWith returns what the request asks for: the URL's path and query, and more of
// the latter.
func pathWith(u *url.URL, more url.Values) string {
	switch {
	case len(more) == 0:
		return u.RequestURI()
	case u.RawQuery == "":
		return strings.TrimSuffix(u.RequestURI(), "?") + "?" + more.Encode()
	}
	return u.RequestURI() + "&" + more.Encode()
}

// resolve returns the IPv4 addresses of the URL's host, or those of IPv6 if it
// has no others.
func resolve(ctx context.Context, u *url.URL) ([]netip.AddrPort, error) {
	port := uint64(80)
	if u.Scheme == "wss" {
		port = 443
	}
	if text := u.Port(); text != "" {
		var err error
		if port, err = strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return nil, fmt.Errorf("port %s: want 1 to 65535", text)
		}
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", u.Hostname(), err)
	}
	var v4, v6 []netip.AddrPort
	for _, addr := range found {
		if addr = addr.Unmap(); addr.Is4() {
			v4 = append(v4, netip.AddrPortFrom(addr, uint16(port)))
		} else {
			v6 = append(v6, netip.AddrPortFrom(addr, uint16(port)))
		}
	}
	if len(v4) == 0 {
		v4 = v6
	}
	slices.SortFunc(v4, netip.AddrPort.Compare)
	return slices.Compact(v4), nil
}
