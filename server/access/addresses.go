package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// addressShards spreads the table over locks, so that loops that shake hands
	// at the same time seldom meet.
	addressShards = 64
	// idlePerShard bounds the addresses that are kept without a connection, for
	// the sake of their rate alone. Beyond it the oldest is forgotten.
	idlePerShard = 1024
	// arriveHeadroom is how many connections beyond its limit an address may have
	// for as long as it takes to read their requests and refuse them politely.
	arriveHeadroom = 8
	// ipv6Bits: who has one IPv6 address has all of its /64 (RFC 6177).
	ipv6Bits = 64
)

// A ticket is a Hold that names an entry of the table.
const (
	ticketAdmitted Hold = 1 << 31 // the connection counts as open
	ticketShift         = 25      // shard above, index below
	ticketIndex    Hold = 1<<ticketShift - 1
)

// addresses counts the connections and handshakes of each client address. An
// entry lives while its address has a connection, or until its rate is forgotten,
// a second later: there are never many more than connections.
type addresses struct {
	maxOpen  uint32        // connections; 0 is no limit
	interval time.Duration // between handshakes; 0 is no limit
	seed     maphash.Seed
	shards   [addressShards]addressShard
}

type addressShard struct {
	mu      sync.Mutex // guards the following
	index   map[netip.Addr]uint32
	entries []entry // the first few belong to nobody, so that no ticket is a special Hold
	free    uint32  // list through next; 0 is its end
	idle    list    // entries without a connection, the longest idle first
}

type entry struct {
	addr       netip.Addr
	handshakes bucket
	conns      uint32 // all, those in handshake included
	open       uint32 // those admitted
	prev, next uint32
}

// list is a doubly linked list of entries, by index.
type list struct {
	first, last uint32
	len         int
}

func newAddresses(maxOpen, perSecond int) *addresses {
	t := &addresses{maxOpen: uint32(maxOpen), seed: maphash.MakeSeed()}
	if perSecond > 0 {
		t.interval = time.Second / time.Duration(perSecond)
	}
	for i := range t.shards {
		t.shards[i].index = map[netip.Addr]uint32{}
		t.shards[i].entries = make([]entry, firstTicket)
	}
	return t
}

// arrive counts a connection of a, unless there are far too many.
func (t *addresses) arrive(a netip.Addr, now time.Duration) (Hold, bool) {
	a = client(a)
	n := maphash.Comparable(t.seed, a) % addressShards
	s := &t.shards[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	i, known := s.index[a]
	if !known {
		i = s.add(a)
	}
	e := &s.entries[i]
	if t.maxOpen > 0 && e.conns >= t.maxOpen+arriveHeadroom {
		return noHold, false
	}
	if e.conns == 0 && known {
		s.unlink(i)
	}
	e.conns++
	return Hold(n)<<ticketShift | Hold(i), true
}

// handshake takes from the rate of the ticket's address. If that is used up it
// returns how long until it is not.
func (t *addresses) handshake(h Hold, now time.Duration) (wait time.Duration, ok bool) {
	if t.interval == 0 {
		return 0, true
	}
	s := t.lock(h)
	defer s.mu.Unlock()
	return s.entries[h&ticketIndex].handshakes.take(now, t.interval)
}

// admit counts the ticket's connection as open, unless its address has as many as
// it may. The ticket it returns replaces the other.
func (t *addresses) admit(h Hold, now time.Duration) (Hold, bool) {
	if t.maxOpen == 0 { // from here on nothing is to be known of it
		t.leave(h, now)
		return noHold, true
	}
	s := t.lock(h)
	defer s.mu.Unlock()
	e := &s.entries[h&ticketIndex]
	if e.open >= t.maxOpen {
		return h, false
	}
	e.open++
	return h | ticketAdmitted, true
}

// leave ends the ticket's connection.
func (t *addresses) leave(h Hold, now time.Duration) {
	s := t.lock(h)
	defer s.mu.Unlock()
	i := uint32(h & ticketIndex)
	e := &s.entries[i]
	if h&ticketAdmitted != 0 {
		e.open--
	}
	if e.conns--; e.conns == 0 {
		s.append(i)
		s.expire(now)
	}
}

// size returns the number of addresses.
func (t *addresses) size() (sum int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		sum += len(s.index)
		s.mu.Unlock()
	}
	return sum
}

func (t *addresses) lock(h Hold) *addressShard {
	s := &t.shards[(h&^ticketAdmitted)>>ticketShift]
	s.mu.Lock()
	return s
}

// client is whom a counts for.
func client(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(ipv6Bits); err == nil { // also drops the zone
			return p.Addr()
		}
	}
	return a
}

// expire forgets the idle whose rate has recovered, and the oldest if there are
// too many.
func (s *addressShard) expire(now time.Duration) {
	for i := s.idle.first; i != 0; i = s.idle.first {
		if time.Duration(s.entries[i].handshakes) > now && s.idle.len <= idlePerShard {
			return
		}
		s.unlink(i)
		delete(s.index, s.entries[i].addr)
		s.entries[i] = entry{next: s.free}
		s.free = i
	}
}

func (s *addressShard) add(a netip.Addr) uint32 {
	i := s.free
	if i == 0 {
		i = uint32(len(s.entries))
		s.entries = append(s.entries, entry{})
	} else {
		s.free = s.entries[i].next
	}
	s.entries[i] = entry{addr: a}
	s.index[a] = i
	return i
}

func (s *addressShard) append(i uint32) {
	e := &s.entries[i]
	e.prev, e.next = s.idle.last, 0
	if e.prev != 0 {
		s.entries[e.prev].next = i
	} else {
		s.idle.first = i
	}
	s.idle.last = i
	s.idle.len++
}

func (s *addressShard) unlink(i uint32) {
	e := &s.entries[i]
	if e.prev != 0 {
		s.entries[e.prev].next = e.next
	} else {
		s.idle.first = e.next
	}
	if e.next != 0 {
		s.entries[e.next].prev = e.prev
	} else {
		s.idle.last = e.prev
	}
	e.prev, e.next = 0, 0
	s.idle.len--
}
