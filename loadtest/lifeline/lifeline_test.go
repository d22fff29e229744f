package lifeline

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// pair returns the two ends of a TCP connection over loopback.
func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	a, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	b, err = ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func lifelines(t *testing.T) (a, b *Conn) {
	t.Helper()
	x, y := pair(t)
	a, b = New(x), New(y)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestLinesThenTheRest(t *testing.T) {
	t.Parallel()
	a, b := lifelines(t)
	long := strings.Repeat("x", 10_000) // more than a buffer
	_, err := a.Write([]byte("\n\nfirst\n\n" + long + "\n\nrest"))
	require.NoError(t, err)
	line, err := b.ReadLine(20)
	require.NoError(t, err)
	require.Equal(t, "first", string(line))
	line, err = b.ReadLine(len(long) + 2)
	require.NoError(t, err)
	require.Equal(t, long, string(line))
	rest := make([]byte, 5)
	_, err = io.ReadFull(b, rest)
	require.NoError(t, err)
	require.Equal(t, "\nrest", string(rest))
}

func TestLineBeyondTheLimit(t *testing.T) {
	t.Parallel()
	a, b := lifelines(t)
	_, err := a.Write([]byte(strings.Repeat("x", 50_000)))
	require.NoError(t, err)
	_, err = b.ReadLine(100)
	require.ErrorIs(t, err, ErrTooLong)
}

func TestTheOtherEndCloses(t *testing.T) {
	t.Parallel()
	a, b := lifelines(t)
	require.NoError(t, a.Close())
	require.ErrorIs(t, a.Close(), net.ErrClosed)
	_, err := b.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrEnded)
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrEnded)
	_, err = a.Write([]byte("\n"))
	require.Error(t, err)
}

func TestTheOtherEndIsReset(t *testing.T) {
	t.Parallel()
	x, y := pair(t)
	a := New(x)
	defer a.Close()
	require.NoError(t, y.(*net.TCPConn).SetLinger(0))
	require.NoError(t, y.Close())
	_, err := a.Read(make([]byte, 1))
	require.Equal(t, unix.ECONNRESET, err, "nothing but the reason")
}

// Of the two ends only one speaks, and only by its beats.
func TestBeatsKeepASilentPairTogether(t *testing.T) {
	t.Parallel()
	a, b := lifelines(t)
	heard := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, a)
		heard <- err
	}()
	in := bufio.NewReader(b)
	for begin := time.Now(); time.Since(begin) < Silence+2*Beat; {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "\n", line)
	}
	select {
	case err := <-heard:
		require.NoError(t, err, "one that does nothing but beat is taken for gone")
	default:
	}
}

func TestSilenceIsNoticed(t *testing.T) {
	t.Parallel()
	x, _ := pair(t) // an end that neither speaks nor closes
	a := New(x)
	defer a.Close()
	began := time.Now()
	_, err := a.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrSilent)
	require.GreaterOrEqual(t, time.Since(began), Silence-time.Second)
}

func TestReason(t *testing.T) {
	t.Parallel()
	_, err := net.Dial("tcp", "127.0.0.1:1")
	require.Equal(t, unix.ECONNREFUSED, Reason(err))
	other := errors.New("other")
	require.Equal(t, other, Reason(other))
}
