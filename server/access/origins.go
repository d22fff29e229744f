package access

import (
	"fmt"
	"strings"
)

// Origins is a list of the web origins that browsers may come from (RFC 6454).
// The empty list allows all.
type Origins []originPattern

// originPattern is an origin whose host may begin with a wildcard.
type originPattern struct {
	scheme, host, port string
	subdomains         bool // host stands for every name below it
	anyPort, any       bool
}

// ParseOrigins reads patterns: https://app.example.com, https://*.example.com for
// every name below example.com (at any depth), http://localhost:* for every port,
// null, or * for all. An error names the value that is none.
func ParseOrigins(values []string) (Origins, error) {
	var all Origins
	for _, v := range values {
		p, problem := parseOrigin(v)
		if problem != "" {
			return nil, fmt.Errorf("%q: %s", v, problem)
		}
		all = append(all, p)
	}
	return all, nil
}

func parseOrigin(v string) (p originPattern, problem string) {
	switch v {
	case "*":
		return originPattern{any: true}, ""
	case "null":
		return originPattern{scheme: v}, ""
	}
	var ok bool
	if p, ok = splitOrigin(v); !ok {
		return p, "want scheme://host or scheme://host:port, without a path"
	}
	p.host, p.subdomains = strings.CutPrefix(p.host, "*.")
	if p.port == "*" {
		p.port, p.anyPort = "", true
	}
	switch {
	case p.host == "" || strings.Trim(p.scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" || strings.Trim(p.port, "0123456789") != "":
		return p, "want scheme://host or scheme://host:port"
	case strings.Contains(p.host, "*"):
		return p, "a * may only stand for the whole left part of the host (https://*.example.com) or for the port"
	case strings.ContainsFunc(p.host, func(r rune) bool { return r > 127 }):
		return p, "browsers send names in their ASCII form: want xn--…"
	case strings.ContainsAny(p.host, "/?#@ \t%\\") || strings.Contains(p.host, "..") || strings.HasPrefix(p.host, "."):
		return p, "malformed host"
	}
	return p, ""
}

// splitOrigin takes an origin apart, in lower case and without the scheme's default
// port, as browsers write it.
func splitOrigin(v string) (p originPattern, ok bool) {
	scheme, authority, ok := strings.Cut(strings.ToLower(v), "://")
	if !ok || scheme == "" || authority == "" || strings.Contains(authority, "/") {
		return p, false
	}
	p.scheme, p.host = scheme, authority
	if colon := strings.LastIndexByte(authority, ':'); colon > strings.LastIndexByte(authority, ']') {
		p.host, p.port = authority[:colon], authority[colon+1:]
		if p.port == "" {
			return p, false
		}
	}
	if scheme == "https" && p.port == "443" || scheme == "http" && p.port == "80" {
		p.port = ""
	}
	return p, true
}

// Allow reports whether a request with this Origin header may pass. No header
// means no browser.
func (o Origins) Allow(origin string) bool {
	if origin == "" || len(o) == 0 {
		return true
	}
	got, ok := splitOrigin(origin)
	for _, p := range o {
		switch {
		case p.any, p.scheme == "null" && origin == "null":
			return true
		case ok && p.matches(got):
			return true
		}
	}
	return false
}

func (p originPattern) matches(got originPattern) bool {
	if p.scheme != got.scheme || !p.anyPort && p.port != got.port {
		return false
	}
	if !p.subdomains {
		return p.host == got.host
	}
	below, ok := strings.CutSuffix(got.host, "."+p.host)
	return ok && below != ""
}
