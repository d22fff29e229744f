// Package source spreads connections over source addresses. A pair of source
// address and destination has only so many ports.
package source

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	// MaxPerPair is how many connections one source address may have to one
	// destination: beyond it, the kernel's search for a free port slows
	// connecting to a crawl.
	MaxPerPair = 28_000
	// easyPerPair is what loopback and CIDRs, where addresses are free, are
	// spread to: within the half of the default range that the kernel hands
	// out first (ports of one parity).
	easyPerPair = 12_000
	// sparePorts of the range stay free for everything else on the host.
	sparePorts = 200
)

// perPair bounds MaxPerPair by the kernel's range of ephemeral ports.
func perPair() int {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return MaxPerPair
	}
	return portsOf(string(b))
}

func portsOf(portRange string) int {
	f := strings.Fields(portRange)
	if len(f) != 2 {
		return MaxPerPair
	}
	low, err1 := strconv.Atoi(f[0])
	high, err2 := strconv.Atoi(f[1])
	if err1 != nil || err2 != nil {
		return MaxPerPair
	}
	return max(1, min(MaxPerPair, high-low+1-sparePorts))
}

// Spread returns the source addresses for connections to destination, to be used
// in turn. nil leaves the choice to the kernel. spec is "auto" or a comma-separated
// list of addresses and CIDRs.
func Spread(spec string, destination netip.AddrPort, connections int) ([]netip.Addr, error) {
	limit := perPair()
	addrs, err := choose(spec, destination.Addr(), connections, limit)
	if err != nil {
		return nil, err
	}
	if room := max(1, len(addrs)) * limit; connections > room {
		return nil, fmt.Errorf("%d connections to %s: %d source address(es) × %d ports allow %d; give more addresses with -source, or more targets",
			connections, destination, max(1, len(addrs)), limit, room)
	}
	return addrs, nil
}

func choose(spec string, destination netip.Addr, connections, limit int) ([]netip.Addr, error) {
	if spec != "auto" {
		return parse(spec, destination, connections)
	}
	easy := max(1, (connections+easyPerPair-1)/easyPerPair)
	switch {
	case destination.Is4() && destination.IsLoopback():
		return take(netip.MustParsePrefix("127.0.0.0/8"), easy), nil
	case connections <= limit:
		return nil, nil
	}
	return interfaceAddrs(destination)
}

// parse expands the list; of a CIDR it takes as many addresses as are of use.
func parse(spec string, destination netip.Addr, connections int) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, item := range strings.Split(spec, ",") {
		item = strings.TrimSpace(item)
		var found []netip.Addr
		if prefix, err := netip.ParsePrefix(item); err == nil {
			found = take(prefix.Masked(), max(1, (connections+easyPerPair-1)/easyPerPair))
		} else if addr, err := netip.ParseAddr(item); err == nil {
			found = []netip.Addr{addr.Unmap()}
		} else {
			return nil, fmt.Errorf("%q: want auto, or addresses and CIDRs separated by commas", item)
		}
		if found[0].Is4() != destination.Is4() {
			return nil, fmt.Errorf("%q: the target %s is of the other IP version", item, destination)
		}
		addrs = append(addrs, found...)
	}
	for _, addr := range addrs {
		if err := usable(addr); err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

// take returns the first n host addresses of prefix, or all if there are fewer.
func take(prefix netip.Prefix, n int) []netip.Addr {
	addr := prefix.Addr()
	hosts := prefix.Addr().BitLen() - prefix.Bits()
	if hosts > 1 {
		addr = addr.Next() // the first is the network's own
	}
	var addrs []netip.Addr
	for ; len(addrs) < n && prefix.Contains(addr); addr = addr.Next() {
		if hosts > 1 && prefix.Addr().Is4() && !prefix.Contains(addr.Next()) {
			break // the last is the broadcast address
		}
		addrs = append(addrs, addr)
	}
	return addrs
}

// usable reports whether the machine lets us bind to addr.
func usable(addr netip.Addr) error {
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		return fmt.Errorf("%q is not an address of this machine", addr)
	}
	return ln.Close()
}

// interfaceAddrs returns the addresses of the interface that leads to destination.
func interfaceAddrs(destination netip.Addr) ([]netip.Addr, error) {
	conn, err := net.Dial("udp", netip.AddrPortFrom(destination, 9).String()) // sends nothing, only asks for the route
	if err != nil {
		return nil, fmt.Errorf("no route to %s: %w", destination, err)
	}
	defer conn.Close()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	for _, i := range interfaces {
		if addrs := addrsOf(i, destination.Is4()); slices.Contains(addrs, local) {
			return addrs, nil
		}
	}
	return []netip.Addr{local}, nil
}

func addrsOf(i net.Interface, is4 bool) []netip.Addr {
	list, err := i.Addrs()
	if err != nil {
		return nil
	}
	var addrs []netip.Addr
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if addr := prefix.Addr().Unmap(); addr.Is4() == is4 && !addr.IsLinkLocalUnicast() {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}
