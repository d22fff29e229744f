//go:build linux

package netpoll

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What comes out of a queue is what went in, however it went in and in whatever pieces
// it comes out.
func TestWriteQueueOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q writeQueue
	var want, got []byte
	var iov [8]unix.Iovec
	for range 20_000 {
		p := make([]byte, 1+rng.IntN(300))
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		if rng.IntN(2) == 0 {
			q.push(p)
		} else {
			q.share(p)
		}
		want = append(want, p...)
		if rng.IntN(3) == 0 {
			got = append(got, take(&q, iov[:], rng.IntN(700))...)
		}
		require.Equal(t, len(want)-len(got), q.len())
	}
	for q.len() > 0 {
		got = append(got, take(&q, iov[:], q.len())...)
	}
	require.True(t, bytes.Equal(want, got))
	require.Empty(t, q.parts)
}

// take is a socket that has room for n bytes.
func take(q *writeQueue, iov []unix.Iovec, n int) (got []byte) {
	for _, v := range q.vector(iov) {
		p := unsafe.Slice(v.Base, v.Len)
		p = p[:min(len(p), n-len(got))]
		got = append(got, p...)
	}
	q.pop(len(got))
	return got
}

// push copies, share does not.
func TestWriteQueueOwnership(t *testing.T) {
	var q writeQueue
	p := []byte("aaaa")
	q.push(p)
	q.share(p)
	q.push(p)
	copy(p, "bbbb")
	var iov [8]unix.Iovec
	require.Equal(t, "aaaabbbbaaaa", string(take(&q, iov[:], 100)))
}

// Messages to a reader that has stopped wait as they are, and all arrive once it reads.
func TestWriteSharedToSlowReader(t *testing.T) {
	const messages = 2000
	l := startLoop(t, Config{MaxQueue: 64 << 20})
	s := &probe{}
	on(t, l, func() {
		_, err := l.Listen(loopback, ListenOptions{}, func(fd int) { require.NoError(t, l.Attach(&s.Conn, fd, s)) })
		require.NoError(t, err)
	})
	frame := bytes.Repeat([]byte("0123456789abcdef"), 512)
	s.data = func([]byte) {
		for range messages {
			require.NoError(t, s.WriteShared(frame))
			require.NoError(t, s.Write([]byte("|")))
		}
		require.Positive(t, s.Queued(), "the socket took everything")
		s.CloseFlushed()
	}
	c := dialTCP(t, l.listeners[0].Addr())
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(bytes.Repeat(append(frame, '|'), messages), got), "%d bytes", len(got))
	require.Zero(t, l.Stats().QueuedBytes.Load())
}

// One message larger than the queue's bound reaches a peer that reads; another one behind it does not fit.
func TestWriteSharedLargerThanTheQueue(t *testing.T) {
	l := startLoop(t, Config{MaxQueue: 64 << 10})
	s := &probe{}
	on(t, l, func() {
		_, err := l.Listen(loopback, ListenOptions{}, func(fd int) { require.NoError(t, l.Attach(&s.Conn, fd, s)) })
		require.NoError(t, err)
	})
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than the kernel takes
	s.data = func([]byte) {
		require.NoError(t, s.WriteShared(large))
		require.Greater(t, s.Queued(), 64<<10, "the socket took nearly everything")
		require.ErrorIs(t, s.WriteShared([]byte("x")), ErrSlowConsumer)
		s.CloseFlushed()
	}
	c := dialTCP(t, l.listeners[0].Addr())
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(large, got), "%d bytes", len(got))
}
