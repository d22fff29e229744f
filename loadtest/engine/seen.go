//go:build linux

package engine

import "math/bits"

// seen is the set of sequence numbers that a connection got: exact, and free of
// allocation while they come within 64 of each other, as they do from a server
// that loses nothing.
type seen struct {
	base  uint32    // all below it are in the set
	top   uint32    // highest in the set, plus 1
	near  uint64    // base, base+1, …
	spill *[]uint64 // the whole set, in place of base and near; nil while they suffice
}

func (s *seen) has(n uint32) bool {
	switch {
	case s.spill != nil:
		word := int(n / 64)
		return word < len(*s.spill) && (*s.spill)[word]>>(n%64)&1 == 1
	case n < s.base:
		return true
	}
	return n-s.base < 64 && s.near>>(n-s.base)&1 == 1
}

// add reports whether n is new, and if so whether a higher number came before it.
func (s *seen) add(n uint32) (first, behind bool) {
	if s.has(n) {
		return false, false
	}
	behind = n+1 < s.top
	s.top = max(s.top, n+1)
	if s.spill == nil && n-s.base >= 64 {
		s.overflow()
	}
	if s.spill != nil {
		for int(n/64) >= len(*s.spill) {
			*s.spill = append(*s.spill, 0)
		}
		(*s.spill)[n/64] |= 1 << (n % 64)
		return true, behind
	}
	s.near |= 1 << (n - s.base)
	done := bits.TrailingZeros64(^s.near)
	s.near >>= done
	s.base += uint32(done)
	return true, behind
}

// overflow moves the set to a bitmap of its own.
func (s *seen) overflow() {
	words := make([]uint64, (s.base+63)/64+1)
	for n := range s.base {
		words[n/64] |= 1 << (n % 64)
	}
	for i := range uint32(64) {
		if s.near>>i&1 == 1 {
			n := s.base + i
			words[n/64] |= 1 << (n % 64)
		}
	}
	s.spill = &words
}

func (s *seen) count() (n int64) {
	if s.spill == nil {
		return int64(s.base) + int64(bits.OnesCount64(s.near))
	}
	for _, w := range *s.spill {
		n += int64(bits.OnesCount64(w))
	}
	return n
}

// countIn returns how many of [low, high) are in the set.
func (s *seen) countIn(low, high uint32) (n int64) {
	if low >= high {
		return 0
	}
	if s.spill == nil {
		n = int64(min(high, max(s.base, low)) - low)
		for i := max(low, s.base); i < min(high, s.base+64); i++ {
			n += int64(s.near >> (i - s.base) & 1)
		}
		return n
	}
	for word := int(low / 64); word < len(*s.spill) && word <= int((high-1)/64); word++ {
		w := (*s.spill)[word]
		if first := uint32(word) * 64; first < low {
			w &^= 1<<(low-first) - 1
		}
		if past := uint32(word)*64 + 64; past > high {
			w &= ^uint64(0) >> (past - high)
		}
		n += int64(bits.OnesCount64(w))
	}
	return n
}
