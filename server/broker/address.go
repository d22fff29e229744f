package broker

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// splitAuthority takes apart user:password@hosts/path.
func splitAuthority(rest string) (user, hosts, path string) {
	hosts, path, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(hosts, '@'); i >= 0 {
		user, hosts = hosts[:i], hosts[i+1:]
	}
	return user, hosts, path
}

func parseHosts(hosts, port string) (addrs []string, err error) {
	for host := range strings.SplitSeq(hosts, ",") {
		addr := host
		if _, _, err := net.SplitHostPort(addr); err != nil {
			addr = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		name, number, err := net.SplitHostPort(addr)
		if n, bad := strconv.ParseUint(number, 10, 16); err != nil || bad != nil || n == 0 || name == "" || !validHost(name) {
			return nil, fmt.Errorf("address %q: want host:port", host)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// validHost allows an address, also of IPv6, or a name.
func validHost(name string) bool {
	return net.ParseIP(name) != nil || !strings.ContainsAny(name, ": []%\t")
}

// redacted hides a password that was put into the URL after all.
func redacted(rawURL string) string {
	scheme, rest, found := strings.Cut(rawURL, "://")
	authority, path, slash := strings.Cut(rest, "/")
	i := strings.LastIndexByte(authority, '@')
	if i < 0 && strings.Contains(rest, "@") {
		return "(not shown: it may hold a password)" // one with a slash that is not escaped
	}
	if !found || i < 0 {
		return rawURL
	}
	user, _, hasPassword := strings.Cut(authority[:i], ":")
	if hasPassword {
		user += ":xxxxx"
	}
	text := scheme + "://" + user + authority[i:]
	if slash {
		text += "/" + path
	}
	return text
}
