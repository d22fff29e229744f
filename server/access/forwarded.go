package access

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// ParsePrefixes reads networks (10.0.0.0/8) and single addresses. An error names
// the value that is neither.
func ParsePrefixes(values []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, addrErr := netip.ParseAddr(v)
			if addrErr != nil || a.Zone() != "" {
				return nil, fmt.Errorf("%q: want an address or a network such as 10.0.0.0/8", v)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p != p.Masked() {
			return nil, fmt.Errorf("%q: bits are set beyond the prefix; did you mean %s?", v, p.Masked())
		}
		all = append(all, p)
	}
	return all, nil
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// forwardedFor returns the rightmost address in X-Forwarded-For that is no trusted
// proxy's. What is to the left of it was said by somebody nobody knows. The
// address is invalid if there is none: the proxy speaks for itself.
func forwardedFor(h http.Header, trusted []netip.Prefix) (netip.Addr, error) {
	lines := h.Values("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var last string
			comma := strings.LastIndexByte(rest, ',')
			rest, last, more = rest[:max(comma, 0)], strings.TrimSpace(rest[comma+1:]), comma >= 0
			if last == "" {
				continue
			}
			a, err := parseForwarded(last)
			if err != nil {
				return netip.Addr{}, &Refusal{Cause: CauseForwarded, Text: fmt.Sprintf("X-Forwarded-For: %.60q is no address", last)}
			}
			if !contains(trusted, a) {
				return a, nil
			}
		}
	}
	return netip.Addr{}, nil
}

// parseForwarded reads an address; some balancers add the port.
func parseForwarded(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err == nil {
		return a, nil
	}
	p, err := netip.ParseAddrPort(s)
	return p.Addr(), err
}
