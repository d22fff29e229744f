//go:build linux

package session

import (
	"slices"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

const (
	// keepScratch is the largest buffer that is kept from one message to the next, in
	// bytes: an echo of 64 KiB must not cost garbage of several times its size.
	keepScratch = 256 << 10
	// keepFree is how many buffers of partial messages wait for their next user.
	keepFree = 8
	// smallBuffer is what is not worth keeping, in bytes: the heap's own caches are as
	// good.
	smallBuffer = 4 << 10
)

// buffers lends memory to the sessions of a shard while a frame of theirs is not
// whole, and takes it back: as garbage, large messages at full speed outrun the
// collector by hundreds of megabytes.
type buffers struct{ free [][]byte } // by capacity

// take returns an empty buffer for at least n bytes.
func (b *buffers) take(n int) []byte {
	if n > smallBuffer {
		for i, p := range b.free {
			if cap(p) >= n {
				b.free = slices.Delete(b.free, i, i+1)
				return p[:0]
			}
		}
	}
	return make([]byte, 0, n)
}

// give takes p back; the caller must not use it any more. Of more than it keeps, the
// smallest goes.
func (b *buffers) give(p []byte) {
	if cap(p) <= smallBuffer || cap(p) > keepScratch {
		return
	}
	i, _ := slices.BinarySearchFunc(b.free, cap(p), func(q []byte, n int) int { return cap(q) - n })
	b.free = slices.Insert(b.free, i, p)
	if len(b.free) > keepFree {
		b.free = slices.Delete(b.free, 0, 1)
	}
}

// extend appends p to buf, which begins with the header of a frame, and returns the
// result in place of buf. Room is made for the whole frame, but for no more than
// twice of what has arrived: a header alone must not cost what it announces.
func (b *buffers) extend(buf, p []byte) []byte {
	total := len(buf) + len(p)
	if total <= cap(buf) {
		return append(buf, p...)
	}
	grown := b.take(b.room(buf, total))
	grown = append(append(grown, buf...), p...)
	b.give(buf)
	return grown
}

// keep returns a copy of rest, which may be the end of buf, in buf if it fits well.
func (b *buffers) keep(buf, rest []byte) []byte {
	if cap(buf) >= len(rest) && cap(buf) <= 4*len(rest)+smallBuffer {
		return append(buf[:0], rest...)
	}
	kept := append(b.take(b.room(rest, len(rest))), rest...)
	b.give(buf)
	return kept
}

// room is how much to hold ready for the frame that begins in start, of which total
// bytes have arrived.
func (b *buffers) room(start []byte, total int) int {
	h, size, err := frame.Parse(start)
	if err != nil || size == 0 {
		return total
	}
	return max(total, int(min(uint64(size)+h.Length, uint64(2*total))))
}

// Trim lets go of the memory that is kept from one message to the next. Called on the
// shard's loop, between events.
func (sh *Shard) Trim() {
	sh.buffers = buffers{}
	sh.out, sh.join, sh.single = nil, nil, nil
	sh.codec.msg = nil
	if sh.deflate != nil {
		sh.deflate.msg = nil
	}
}
