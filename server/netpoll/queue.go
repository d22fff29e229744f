//go:build linux

package netpoll

import "golang.org/x/sys/unix"

// flushParts is how many parts of a queue one system call sends. A slow reader of
// broadcasts has hundreds of small ones.
const flushParts = 256

// writeQueue holds the bytes a socket did not take. It exists only while there
// are some, so an idle connection pays one nil pointer for it.
type writeQueue struct {
	parts [][]byte // oldest first; none is empty
	own   bool     // the last one was made by push: it may grow into its capacity
	size  int      // bytes in all
}

func (q *writeQueue) len() int { return q.size }

// push copies p to the end. What it copies to grows with what waits already, so that a
// little takes little room, and much takes few parts.
func (q *writeQueue) push(p []byte) {
	q.size += len(p)
	if last := len(q.parts) - 1; q.own {
		room := q.parts[last]
		n := min(len(p), cap(room)-len(room))
		q.parts[last] = append(room, p[:n]...)
		p = p[n:]
	}
	if len(p) > 0 {
		room := make([]byte, 0, max(len(p), min(q.size, readBufferSize)))
		q.parts, q.own = append(q.parts, append(room, p...)), true
	}
}

// share puts p itself at the end.
func (q *writeQueue) share(p []byte) {
	q.size += len(p)
	q.parts, q.own = append(q.parts, p), false
}

// pop drops the first n bytes.
func (q *writeQueue) pop(n int) {
	q.size -= n
	for n > 0 && n >= len(q.parts[0]) {
		n -= len(q.parts[0])
		q.parts[0] = nil
		q.parts = q.parts[1:]
	}
	if len(q.parts) == 0 {
		q.own = false
	} else {
		q.parts[0] = q.parts[0][n:]
	}
}

// vector fills iov with the first parts and returns those it has used.
func (q *writeQueue) vector(iov []unix.Iovec) []unix.Iovec {
	n := min(len(iov), len(q.parts))
	for i, p := range q.parts[:n] {
		iov[i].Base = &p[0]
		iov[i].SetLen(len(p))
	}
	return iov[:n]
}
