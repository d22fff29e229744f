package access

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// v2 builds a version 2 header.
func v2(command, family byte, body string) string {
	b := append([]byte(nil), proxyV2Start...)
	b = append(b, 0x20|command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return string(b) + body
}

const (
	v4Addrs = "\xc0\x00\x02\x01" + "\xc0\x00\x02\x02" + "\x12\x34" + "\x22\x3d"
	v6Addrs = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + "\x12\x34" + "\x22\x3d"
	awsTLV = "\xea\x00\x16\x01vpce-0123456789abcdef0"
)

func TestParseProxy(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		source string // empty: none
	}{
		"v1 IPv4":         {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 8765\r\n", "192.0.2.1:4660"},
		"v1 IPv6":         {"PROXY TCP6 2001:db8::1 2001:db8::2 4660 8765\r\n", "[2001:db8::1]:4660"},
		"v1 unknown":      {"PROXY UNKNOWN\r\n", ""},
		"v1 unknown long": {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""},
		"v2 IPv4":         {v2(1, 0x11, v4Addrs), "192.0.2.1:4660"},
		"v2 IPv6":         {v2(1, 0x21, v6Addrs), "[2001:db8::1]:4660"},
		"v2 with TLVs":    {v2(1, 0x11, v4Addrs+awsTLV), "192.0.2.1:4660"},
		"v2 local":        {v2(0, 0, ""), ""},
		"v2 local, TLVs":  {v2(0, 0, awsTLV), ""},
		"v2 unspecified":  {v2(1, 0, ""), ""},
		"v2 Unix sockets": {v2(1, 0x31, strings.Repeat("x", 216)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			n, source, err := ParseProxy([]byte(c.header + "GET / HTTP/1.1\r\n"))
			require.NoError(t, err)
			require.Equal(t, len(c.header), n)
			if c.source == "" {
				require.False(t, source.IsValid())
			} else {
				require.Equal(t, netip.MustParseAddrPort(c.source), source)
			}
			for i := range len(c.header) {
				n, _, err := ParseProxy([]byte(c.header[:i]))
				require.NoError(t, err)
				require.Zero(t, n, "%d bytes are not whole", i)
			}
		})
	}
}

func TestParseProxyRefuses(t *testing.T) {
	for name, header := range map[string]string{
		"a request":             "GET / HTTP/1.1\r\n",
		"v1 lower case":         "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"v1 UDP":                "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
		"v1 no addresses":       "PROXY TCP4\r\n",
		"v1 names":              "PROXY TCP4 localhost localhost 1 2\r\n",
		"v1 wrong family":       "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
		"v1 zone":               "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
		"v1 port too large":     "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
		"v1 no port":            "PROXY TCP4 192.0.2.1 192.0.2.2\r\n",
		"v1 bad destination":    "PROXY TCP4 192.0.2.1 x 1 2\r\n",
		"v1 two spaces":         "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
		"v1 endless":            "PROXY TCP4 " + strings.Repeat("1", 107),
		"v2 version 1":          strings.Replace(v2(1, 0x11, v4Addrs), "\x21\x11", "\x11\x11", 1),
		"v2 unknown command":    v2(2, 0x11, v4Addrs),
		"v2 addresses too few":  v2(1, 0x11, v4Addrs[:11]),
		"v2 IPv6 in IPv4 space": v2(1, 0x21, v4Addrs),
		"v2 too large":          v2(1, 0x11, strings.Repeat("x", proxyV2MaxBody+1)),
		"v2 wrong signature":    "\r\n\r\n\x00\r\nQUIP\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ParseProxy([]byte(header))
			require.Error(t, err)
		})
	}
}

func FuzzParseProxy(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 4660 8765\r\n"))
	f.Add([]byte(v2(1, 0x11, v4Addrs+awsTLV)))
	f.Fuzz(func(t *testing.T, p []byte) {
		n, source, err := ParseProxy(p)
		require.LessOrEqual(t, n, len(p))
		if err != nil {
			require.Zero(t, n)
			return
		}
		if n == 0 {
			require.LessOrEqual(t, len(p), proxyV2Header+proxyV2MaxBody, "an endless header is not waited for")
			return
		}
		// What follows the header changes nothing.
		again, same, err := ParseProxy(append(p[:n:n], "GET"...))
		require.NoError(t, err)
		require.Equal(t, n, again)
		require.Equal(t, source, same)
	})
}
