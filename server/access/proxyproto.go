package access

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Sizes of https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt.
const (
	proxyV1Max    = 107 // section 2.1: the longest line, its end included
	proxyV2Header = 16  // section 2.2
	// proxyV2MaxBody bounds the addresses and TLVs. The format allows 64 KiB;
	// what balancers add (an endpoint's id, TLS names) is a few hundred bytes.
	proxyV2MaxBody = 4 << 10
)

var (
	proxyV1Start = []byte("PROXY ")
	proxyV2Start = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

var errNoProxyHeader = errors.New("a PROXY protocol header is missing")

// ParseProxy reads the PROXY protocol header, version 1 or 2, at the start of p.
// It returns its length, 0 while it is not whole, and the client's address, which
// is invalid where the proxy speaks for itself or for no TCP connection.
func ParseProxy(p []byte) (n int, source netip.AddrPort, err error) {
	switch {
	case startsLike(p, proxyV1Start):
		return parseProxyV1(p)
	case startsLike(p, proxyV2Start):
		return parseProxyV2(p)
	}
	return 0, source, errNoProxyHeader
}

// startsLike reports whether p begins with start, as far as it goes.
func startsLike(p, start []byte) bool {
	n := min(len(p), len(start))
	return bytes.Equal(p[:n], start[:n])
}

// parseProxyV1 reads a line such as "PROXY TCP4 192.0.2.1 192.0.2.9 56324 443".
func parseProxyV1(p []byte) (n int, source netip.AddrPort, err error) {
	end := bytes.Index(p[:min(len(p), proxyV1Max)], []byte("\r\n"))
	if end < 0 {
		if len(p) >= proxyV1Max {
			return 0, source, fmt.Errorf("the PROXY protocol line is longer than %d bytes", proxyV1Max)
		}
		return 0, source, nil
	}
	n = end + 2
	fields := strings.Split(string(p[:end]), " ")
	if fields[1] == "UNKNOWN" {
		return n, source, nil
	}
	malformed := fmt.Errorf("malformed PROXY protocol line %q", p[:end])
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return 0, source, malformed
	}
	src, err1 := proxyAddr(fields[1], fields[2], fields[4])
	_, err2 := proxyAddr(fields[1], fields[3], fields[5])
	if err1 != nil || err2 != nil {
		return 0, source, malformed
	}
	return n, src, nil
}

func proxyAddr(family, addr, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" || a.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, fmt.Errorf("%q is no address of %s", addr, family)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a, uint16(n)), err
}

// parseProxyV2 reads the binary header.
func parseProxyV2(p []byte) (n int, source netip.AddrPort, err error) {
	if len(p) < proxyV2Header {
		return 0, source, nil
	}
	version, command := p[12]>>4, p[12]&0xf
	family, size := p[13], int(binary.BigEndian.Uint16(p[14:]))
	switch {
	case version != 2:
		return 0, source, fmt.Errorf("PROXY protocol version %d is unknown", version)
	case command > 1:
		return 0, source, fmt.Errorf("PROXY protocol command %d is unknown", command)
	case size > proxyV2MaxBody:
		return 0, source, fmt.Errorf("the PROXY protocol header is longer than %d bytes", proxyV2Header+proxyV2MaxBody)
	}
	local := command == 0
	addrSize := map[byte]int{0x11: 4, 0x21: 16}[family] // TCP over IPv4, IPv6; of others nothing is read
	if !local && addrSize > 0 && size < 2*addrSize+4 {
		return 0, source, fmt.Errorf("the PROXY protocol header has %d bytes of addresses, too few", size)
	}
	n = proxyV2Header + size
	if len(p) < n {
		return 0, source, nil
	}
	if local || addrSize == 0 {
		return n, source, nil
	}
	body := p[proxyV2Header:n]
	addr, _ := netip.AddrFromSlice(body[:addrSize])
	return n, netip.AddrPortFrom(addr, binary.BigEndian.Uint16(body[2*addrSize:])), nil
}
