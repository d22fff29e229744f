//go:build linux

package netpoll

// writeQueue holds the bytes a socket did not take. It exists only while there
// are some, so an idle connection pays one nil pointer for it.
type writeQueue struct {
	buf []byte
	off int // bytes of buf already written
}

func (q *writeQueue) len() int     { return len(q.buf) - q.off }
func (q *writeQueue) head() []byte { return q.buf[q.off:] }
func (q *writeQueue) pop(n int)    { q.off += n }

// push copies p to the end. Written bytes are dropped first once they are the
// larger part, so that the buffer's size follows what waits, not what passed.
func (q *writeQueue) push(p []byte) {
	if q.off > len(q.buf)/2 {
		n := copy(q.buf, q.buf[q.off:])
		q.buf, q.off = q.buf[:n], 0
	}
	q.buf = append(q.buf, p...)
}
