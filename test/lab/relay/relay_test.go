package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// serve starts a relay to the target and returns its listener and a channel that tells when it has ended.
func serve(t *testing.T, target string) (net.Listener, chan error) {
	l, done := listen(t), make(chan error, 1)
	go func() { done <- Serve(l, target) }()
	return l, done
}

func TestBytesPassBothWaysAndSoDoesTheEnd(t *testing.T) {
	target := listen(t)
	go func() {
		c, err := target.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		request, _ := io.ReadAll(c) // ends only when the caller's end passes through
		_, _ = c.Write(append([]byte("got "), request...))
	}()
	l, _ := serve(t, target.Addr().String())
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	big := bytes.Repeat([]byte("x"), 1<<20)
	_, err = c.Write(big)
	require.NoError(t, err)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, append([]byte("got "), big...), answer)
}

func TestATargetThatIsGoneClosesTheConnection(t *testing.T) {
	target := listen(t)
	target.Close()
	l, _ := serve(t, target.Addr().String())
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestClosingTheListenerEndsEverything(t *testing.T) {
	target := listen(t)
	l, done := serve(t, target.Addr().String())
	c, err := net.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	far, err := target.Accept()
	require.NoError(t, err)
	defer far.Close()
	l.Close()
	for _, end := range []net.Conn{c, far} {
		require.NoError(t, end.SetDeadline(time.Now().Add(5*time.Second)))
		_, err := end.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	}
	select {
	case err := <-done:
		require.ErrorIs(t, err, net.ErrClosed)
	case <-time.After(5 * time.Second):
		t.Fatal("the relay does not end")
	}
}
