//go:build linux

package session_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// dialDeflate connects with gorilla's own client, compression on.
func (s *server) dialDeflate(t *testing.T) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{EnableCompression: true, HandshakeTimeout: 10 * time.Second}
	c, resp, err := d.Dial("ws://"+s.addr.String(), nil)
	require.NoError(t, err)
	require.Contains(t, resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	return c
}

// Messages of every size and kind come back unchanged, also those that can't be
// compressed and are as long as the read limit.
func TestDeflateRoundTrip(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	s := start(t, cfg)
	c := s.dialDeflate(t)
	noise := rand.NewChaCha8([32]byte{7})
	for _, n := range []int{0, 1, 255, 256, 257, 4096, 65_535, 70_000, cfg.ReadLimit - 1, cfg.ReadLimit} {
		random := make([]byte, n)
		_, _ = noise.Read(random)
		for _, m := range [][]byte{random, []byte(strings.Repeat("price: 100; ", n/12+1)[:n])} {
			require.NoError(t, c.WriteMessage(websocket.BinaryMessage, m))
			kind, got, err := c.ReadMessage()
			require.NoError(t, err, "%d bytes", n)
			require.Equal(t, websocket.BinaryMessage, kind)
			require.True(t, string(m) == string(got), "%d bytes", n)
		}
	}
}

// Sessions with and without compression take turns on one codec of the loop.
func TestDeflateBesidePlain(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	s := start(t, cfg)
	squeezed, plain := s.dialDeflate(t), s.open(t)
	long := strings.Repeat("a long message ", 1000)
	for range 20 {
		plain.send(text(long))
		require.NoError(t, squeezed.WriteMessage(websocket.TextMessage, []byte(long)))
		_, got, err := squeezed.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, long, string(got))
		require.Equal(t, fmt.Sprintf("text %q", long), plain.next())
	}
	require.Less(t, s.loop.Stats().BytesWritten.Load(), uint64(20*len(long)*3/2), "one of the two got its messages compressed")
}

// A message that is small on the wire and huge in memory is refused once it is
// larger than the read limit; no more of it is decompressed.
func TestZipBomb(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	s := start(t, cfg)
	bomb := deflated(strings.Repeat("\x00", 64<<20))
	require.Less(t, len(bomb), cfg.ReadLimit/8)
	for name, frames := range map[string][]byte{
		"in one frame": masked(true, rsv1, frame.Binary, bomb),
		"in fragments": join(masked(false, rsv1, frame.Binary, bomb[:1000]), masked(true, 0, frame.Continuation, bomb[1000:])),
	} {
		t.Run(name, func(t *testing.T) {
			p := s.openWith(t, offer(""))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.send(frames)
			require.Equal(t, "close 1009 message is too big once decompressed", p.next())
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "allocated for a read limit of 1 MiB")
		})
	}
	// The codec serves the next one.
	p := s.openWith(t, offer(""))
	p.send(masked(true, rsv1, frame.Text, helloCompressed))
	require.Equal(t, `text "Hello"`, p.next())
}

// What goes to many is compressed once, and only if somebody takes it so.
func TestFramer(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	s := start(t, cfg)
	framer := session.NewFramer(s.Server)
	long := strings.Repeat("news ", 1000)
	require.Nil(t, framer.Frame([]byte(long)).Deflated, "nobody could take it")

	squeezed, plain := s.dialDeflate(t), s.open(t)
	m := framer.Frame([]byte(long))
	require.Less(t, len(m.Deflated), 200)
	require.Greater(t, len(m.Plain), len(long))
	require.Nil(t, framer.Frame([]byte("short")).Deflated)
	noise := make([]byte, 5000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	require.Nil(t, framer.Frame(noise).Deflated, "it would be longer")

	s.loop.Post(func() {
		s.loop.Handlers(func(h netpoll.Handler) bool { h.(*session.Session).SendShared(m); return true })
	})
	_, got, err := squeezed.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, long, string(got))
	require.Equal(t, fmt.Sprintf("text %q", long), plain.next())

	squeezed.Close()
	require.Eventually(t, func() bool { return s.loop.Stats().Conns.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.Nil(t, framer.Frame([]byte(long)).Deflated, "nobody could take it any more")
}
