//go:build linux

package netpoll

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeferredAcceptWaitsForTheFirstBytes(t *testing.T) {
	l := startLoop(t, Config{})
	got := make(chan string, 1)
	ln := make(chan *Listener, 1)
	on(t, l, func() {
		listener, err := l.Listen(loopback, ListenOptions{DeferAccept: 30 * time.Second}, func(fd int) {
			p := &probe{}
			p.data = func(b []byte) { got <- string(b) }
			require.NoError(t, l.Attach(&p.Conn, fd, p))
		})
		require.NoError(t, err)
		ln <- listener
	})
	c := dialTCP(t, (<-ln).Addr())
	time.Sleep(100 * time.Millisecond) // an undeferred listener has accepted it long before
	require.Zero(t, l.Stats().Accepted.Load())
	_, err := c.Write([]byte("hello"))
	require.NoError(t, err)
	require.Equal(t, "hello", <-got)
	require.EqualValues(t, 1, l.Stats().Accepted.Load())
}
