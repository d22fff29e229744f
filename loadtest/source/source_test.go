package source

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:8765")

func TestAutoSpreadsOverLoopbackAddresses(t *testing.T) {
	for _, n := range []int{1, 12_000, 12_001, 100_000, 1_000_000} {
		addrs, err := Spread("auto", loopback, n)
		require.NoError(t, err)
		require.Len(t, addrs, (n+easyPerPair-1)/easyPerPair)
		seen := map[netip.Addr]int{}
		for i := range n {
			seen[addrs[i%len(addrs)]]++
		}
		for addr, connections := range seen {
			require.True(t, addr.IsLoopback())
			require.LessOrEqual(t, connections, MaxPerPair)
		}
	}
}

func TestAutoLeavesAFewConnectionsToTheKernel(t *testing.T) {
	addrs, err := Spread("auto", netip.MustParseAddrPort("192.0.2.1:8765"), 1000)
	require.NoError(t, err)
	require.Nil(t, addrs)
}

func TestListsAndCIDRs(t *testing.T) {
	addrs, err := Spread("127.0.0.9, 127.1.0.0/30,127.2.0.7/32", loopback, 60_000)
	require.NoError(t, err)
	var got []string
	for _, a := range addrs {
		got = append(got, a.String())
	}
	require.Equal(t, []string{"127.0.0.9", "127.1.0.1", "127.1.0.2", "127.2.0.7"}, got)
}

func TestTakeSkipsNetworkAndBroadcastAddresses(t *testing.T) {
	require.Len(t, take(netip.MustParsePrefix("10.0.0.0/24"), 1000), 254)
	require.Len(t, take(netip.MustParsePrefix("10.0.0.0/31"), 1000), 2)
	require.Len(t, take(netip.MustParsePrefix("10.0.0.0/8"), 7), 7)
	require.Equal(t, "10.0.0.1", take(netip.MustParsePrefix("10.0.0.0/24"), 1)[0].String())
}

func TestBadSources(t *testing.T) {
	for spec, want := range map[string]string{
		"":              `"": want auto`,
		"eth0":          `"eth0": want auto`,
		"127.0.0.1,":    `"": want auto`,
		"192.0.2.77":    `"192.0.2.77" is not an address of this machine`,
		"::1":           "other IP version",
		"127.0.0.1/40":  `"127.0.0.1/40": want auto`,
		"127.0.0.1 ,x":  `"x": want auto`,
		"192.0.2.64/29": "is not an address of this machine",
	} {
		_, err := Spread(spec, loopback, 10)
		require.ErrorContains(t, err, want, spec)
	}
	_, err := Spread("127.0.0.1", loopback, 60_000)
	require.ErrorContains(t, err, "60000 connections to 127.0.0.1:8765: 1 source address(es) × ")
}

func TestPortsOfTheRange(t *testing.T) {
	for text, want := range map[string]int{
		"1024\t65535\n":  MaxPerPair,
		"32768\t60999\n": MaxPerPair,
		"40000\t49999\n": 9800,
		"":               MaxPerPair,
		"5000 5000":      1,
	} {
		require.Equal(t, want, portsOf(text), text)
	}
}
