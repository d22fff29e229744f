//go:build linux

package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
)

// bench drives sessions from the goroutine of a fuzzer: their loop does not run,
// what arrives is handed to them, and what they write is read at the other end of
// a socket pair.
type bench struct {
	shard *session.Shard
	loop  *netpoll.Loop
}

func newBench(f *testing.F, cfg session.Config) *bench {
	loop, err := netpoll.New(netpoll.Config{})
	require.NoError(f, err)
	return &bench{session.NewServer(cfg).NewShard(loop), loop}
}

// exchange is what one session made of the bytes it got.
type exchange struct {
	answer []byte
	ended  bool // the session has closed the socket or sent FIN
	waits  bool // for the rest of its handshake
}

// run hands the chunks to a new session. After each, held tells what it may keep.
func (b *bench) run(t *testing.T, chunks [][]byte, held int) (x exchange) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	s := &session.Session{}
	b.shard.Accept(pair[0], s, &echoApp{})
	defer unix.Close(pair[1])
	buf := make([]byte, 64<<10)
	read := func() {
		for !x.ended {
			n, err := unix.Read(pair[1], buf)
			switch {
			case err == unix.EAGAIN:
				return
			case err != nil && err != unix.ECONNRESET: // reset: it had more to read than it wanted
				t.Fatal(err)
			case n <= 0:
				x.ended = true
			}
			x.answer = append(x.answer, buf[:max(n, 0)]...)
		}
	}
	for _, c := range chunks {
		if s.Closed() {
			break
		}
		// The loop's read buffer is used again after each read: so is this one.
		n := copy(buf, c)
		s.OnData(buf[:n])
		clear(buf[:n])
		if s.Held() > held {
			t.Fatalf("%d bytes are held after %d arrived", s.Held(), len(c))
		}
		read()
	}
	x.waits = s.Handshaking() && !s.Closed()
	s.Conn.Close(netpoll.ErrClosed)
	if q := b.loop.Stats().QueuedBytes.Load(); q != 0 {
		t.Fatalf("%d bytes are counted as queued", q)
	}
	return x
}

// split cuts data into chunks whose sizes are the bytes of cuts, 0 being 1, over
// and over.
func split(data, cuts []byte) (chunks [][]byte) {
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, max(1, int(cuts[i%len(cuts)])))
		}
		n = min(n, 64<<10) // a loop reads no more at once
		chunks = append(chunks, data[:n])
		data = data[n:]
	}
	return chunks
}
