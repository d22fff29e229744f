//go:build linux

package netpoll

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// streamer writes its blocks as fast as the peer takes them, and no faster.
type streamer struct {
	probe
	left [][]byte
}

func (s *streamer) OnDrained() {
	for len(s.left) > 0 && s.Queued() == 0 {
		block := s.left[0]
		s.left = s.left[1:]
		if s.Write(block) != nil {
			return
		}
	}
	if len(s.left) == 0 {
		s.CloseFlushed()
	}
}

// Who waits for the queue to be empty sends any amount through a small one.
func TestDrainedPacesAStream(t *testing.T) {
	const blocks, size = 256, 64 << 10
	l := startLoop(t, Config{MaxQueue: size})
	var want bytes.Buffer
	s := &streamer{}
	for i := range blocks {
		block := bytes.Repeat([]byte{byte(i)}, size)
		want.Write(block)
		s.left = append(s.left, block)
	}
	s.data = func([]byte) { s.OnDrained() }
	on(t, l, func() {
		_, err := l.Listen(loopback, ListenOptions{}, func(fd int) { require.NoError(t, l.Attach(&s.Conn, fd, s)) })
		require.NoError(t, err)
	})
	c := dialTCP(t, l.listeners[0].Addr())
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want.Bytes(), got), "%d of %d bytes", len(got), want.Len())
}
