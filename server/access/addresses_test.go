package access

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// nth returns one of very many addresses.
func nth(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }

func TestOpenConnectionsOfAnAddress(t *testing.T) {
	table := newAddresses(2, 0)
	var holds []Hold
	for range 2 {
		h, ok := table.arrive(addr("192.0.2.1"), 0)
		require.True(t, ok)
		h, ok = table.admit(h, 0)
		require.True(t, ok)
		holds = append(holds, h)
	}
	third, ok := table.arrive(addr("192.0.2.1"), 0)
	require.True(t, ok, "its request is read, to refuse it politely")
	_, ok = table.admit(third, 0)
	require.False(t, ok)
	other, ok := table.arrive(addr("192.0.2.2"), 0)
	require.True(t, ok)
	_, ok = table.admit(other, 0)
	require.True(t, ok, "another address has its own limit")

	table.leave(holds[0], 0)
	admitted, ok := table.admit(third, 0)
	require.True(t, ok)
	table.leave(admitted, 0)
	table.leave(holds[1], 0)
	require.Equal(t, 1, table.size(), "without a connection there is nothing to remember")
}

func TestArrivalsBeyondTheHeadroom(t *testing.T) {
	table := newAddresses(1, 0)
	for range 1 + arriveHeadroom {
		_, ok := table.arrive(addr("192.0.2.1"), 0)
		require.True(t, ok)
	}
	_, ok := table.arrive(addr("192.0.2.1"), 0)
	require.False(t, ok)
}

func TestHandshakesOfAnAddress(t *testing.T) {
	const perSecond = 5
	table := newAddresses(0, perSecond)
	try := func(now time.Duration) (time.Duration, bool) {
		h, ok := table.arrive(addr("192.0.2.1"), now)
		require.True(t, ok)
		wait, ok := table.handshake(h, now)
		if h, admitted := table.admit(h, now); ok {
			require.True(t, admitted)
			require.Equal(t, noHold, h, "where connections are not limited they are not counted")
		}
		return wait, ok
	}
	for range perSecond {
		_, ok := try(0)
		require.True(t, ok)
	}
	wait, ok := try(0)
	require.False(t, ok)
	require.Equal(t, time.Second/perSecond, wait)
	_, ok = try(wait - 1)
	require.False(t, ok)
	_, ok = try(wait)
	require.True(t, ok, "after the time it was told to wait")
}

func TestMemoryOfAddressesIsBounded(t *testing.T) {
	table := newAddresses(0, 1)
	const many = 3 * addressShards * idlePerShard
	come := func(i int, now time.Duration) {
		h, ok := table.arrive(nth(i), now)
		require.True(t, ok)
		table.handshake(h, now)
		table.admit(h, now)
	}
	for i := range many {
		come(i, 0)
	}
	require.LessOrEqual(t, table.size(), addressShards*idlePerShard)
	slots := 0
	for i := range table.shards {
		slots += len(table.shards[i].entries)
	}
	require.LessOrEqual(t, slots, addressShards*(idlePerShard+int(firstTicket)+1), "entries are used again")

	for i := range many {
		come(i, 2*time.Second)
		if i == 100*addressShards {
			break
		}
	}
	require.LessOrEqual(t, table.size(), 100*addressShards+1, "what is a second old is forgotten")
}

func TestWhoAnAddressCountsFor(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1",
		"::ffff:192.0.2.1":    "192.0.2.1",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::",
		"fe80::1%eth0":        "fe80::",
	} {
		require.Equal(t, want, client(addr(a)).String())
	}
}

// The table under random use against plain maps.
func TestAddressesAgainstModel(t *testing.T) {
	const limit = 3
	table := newAddresses(limit, 0)
	type conn struct {
		hold Hold
		addr netip.Addr
		open bool
	}
	conns, open, all := []conn{}, map[netip.Addr]int{}, map[netip.Addr]int{}
	state := uint64(1)
	random := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	for range 50_000 {
		if random(2) == 0 {
			a := nth(random(200))
			h, ok := table.arrive(a, 0)
			require.Equal(t, all[a] < limit+arriveHeadroom, ok)
			if ok {
				all[a]++
				conns = append(conns, conn{h, a, false})
			}
		}
		if len(conns) == 0 {
			continue
		}
		i := random(len(conns))
		if c := &conns[i]; !c.open && random(2) == 0 {
			h, ok := table.admit(c.hold, 0)
			require.Equal(t, open[c.addr] < limit, ok)
			if ok {
				c.hold, c.open = h, true
				open[c.addr]++
			}
			continue
		}
		c := conns[i]
		table.leave(c.hold, 0)
		if c.open {
			open[c.addr]--
		}
		if all[c.addr]--; all[c.addr] == 0 {
			delete(all, c.addr)
		}
		conns[i] = conns[len(conns)-1]
		conns = conns[:len(conns)-1]
		require.Equal(t, len(all), table.size())
	}
}
