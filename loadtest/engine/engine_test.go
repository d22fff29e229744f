//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
	"github.com/wsfleet/wsfleet/server/session/frame"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// rawServer answers every connection with serve, which gets it after the
// handshake and may write whatever bytes it likes.
func rawServer(t *testing.T, serve func(conn net.Conn, r *bufio.Reader)) netip.AddrPort {
	t.Helper()
	return tcptest.Serve(t, func(conn net.Conn) {
		if r, ok := acceptHandshake(conn); ok {
			serve(conn, r)
		}
	})
}

// acceptHandshake is the server's part of it; what follows is read from r.
func acceptHandshake(conn net.Conn) (r *bufio.Reader, ok bool) {
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	r = bufio.NewReader(conn)
	request, err := http.ReadRequest(r)
	if err != nil {
		return nil, false
	}
	slowly(conn, []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		acceptOf(request.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n"))
	return r, true
}

// slowly writes in pieces that cut everything somewhere.
func slowly(w io.Writer, p []byte) {
	for len(p) > 0 {
		n := min(7, len(p))
		_, _ = w.Write(p[:n])
		p = p[n:]
		time.Sleep(50 * time.Microsecond)
	}
}

// readFrame reads one frame of the client, which must be masked.
func readFrame(t *testing.T, r *bufio.Reader) (frame.Opcode, []byte) {
	t.Helper()
	for size := 2; ; size++ {
		head, err := r.Peek(size)
		if err != nil {
			return frame.Close, nil
		}
		h, n, err := frame.Parse(head)
		if err != nil || n == 0 {
			continue
		}
		if !h.Masked {
			t.Error("a client's frame is not masked")
		}
		whole := make([]byte, n+int(h.Length))
		if _, err := io.ReadFull(r, whole); err != nil {
			return frame.Close, nil
		}
		frame.Mask(h.Key, whole[n:])
		return h.Opcode, whole[n:]
	}
}

func serverFrame(final bool, op frame.Opcode, payload []byte) []byte {
	p := frame.AppendHeader(nil, frame.Header{Final: final, Opcode: op, Length: uint64(len(payload))})
	return append(p, payload...)
}

// engineFor runs n clients of addr.
func engineFor(t *testing.T, addr netip.AddrPort, n int) *Engine {
	t.Helper()
	e, err := New(Config{
		Run: "0123456789abcdef", Seed: 1, Total: n, Stride: 1, RampStride: 1,
		Targets: []Target{{URL: "ws://test", Addr: addr, Host: "test", Path: "/"}},
		Connect: scenario.Connect{Rate: 1000}, Timeout: 2 * time.Second, Close: scenario.Close{Rate: 1000},
		Broadcasts: 10, Channels: 1,
	})
	require.NoError(t, err)
	go func() { _ = e.Run() }()
	return e
}

// through waits until the phase begun last is.
func through(t *testing.T, e *Engine) report.Counts {
	t.Helper()
	var p Progress
	require.Eventually(t, func() bool {
		p, _ = e.Snapshot(false)
		return p.Done
	}, 10*time.Second, time.Millisecond)
	return p.Counts
}

func TestFragmentsPingsAndPiecesOfFrames(t *testing.T) {
	t.Parallel()
	pongs := make(chan string, 10)
	addr := rawServer(t, func(conn net.Conn, r *bufio.Reader) {
		op, request := readFrame(t, r)
		if op != frame.Text {
			return
		}
		var answer []byte
		answer = append(answer, serverFrame(false, frame.Text, request[:100])...)
		answer = append(answer, serverFrame(true, frame.Ping, []byte("between"))...)
		answer = append(answer, serverFrame(false, frame.Continuation, nil)...)
		answer = append(answer, serverFrame(true, frame.Continuation, request[100:])...)
		answer = append(answer, serverFrame(true, frame.Pong, nil)...)
		slowly(conn, answer)
		for {
			op, payload := readFrame(t, r)
			switch op {
			case frame.Pong:
				pongs <- string(payload)
			case frame.Close:
				slowly(conn, serverFrame(true, frame.Close, payload))
				return
			}
		}
	})
	e := engineFor(t, addr, 5)
	e.Ramp(time.Now())
	c := through(t, e)
	require.EqualValues(t, 5, c.Connected)
	e.Begin(1, scenario.Phase{Echo: &scenario.Echo{Rate: 1000, Rounds: 1, Size: 300, Reply: "{{.}}"}}, time.Now())
	c = through(t, e)
	require.Equal(t, report.EchoCounts{Sent: 5, OK: 5}, c.Echo)
	e.Close(time.Now())
	c = through(t, e)
	require.EqualValues(t, 5, c.Held)
	require.Zero(t, c.Open)
	require.Empty(t, c.CloseFailures)
	require.Empty(t, c.Closed)
	require.EqualValues(t, 5, e.Finish(Published{}).Pings)
	for range 5 {
		require.Equal(t, "between", <-pongs)
	}
	for i := range e.clients {
		require.Nil(t, e.clients[i].partial, "a client that waits for nothing has no buffer")
	}
}

func TestEndsOfOpenConnections(t *testing.T) {
	t.Parallel()
	masked := frame.AppendMasked(nil, frame.Text, [4]byte{1, 2, 3, 4}, []byte("x"))
	for name, c := range map[string]struct {
		sends []byte
		class string
	}{
		"end of stream":            {nil, "eof"},
		"close frame":              {serverFrame(true, frame.Close, frame.ClosePayload(frame.CloseServiceRestart, "soon back")), "code_1012"},
		"close frame without code": {serverFrame(true, frame.Close, nil), "code_1005"},
		"malformed close frame":    {serverFrame(true, frame.Close, []byte{3}), "protocol_error"},
		"masked frame":             {masked, "protocol_error"},
		"reserved opcode":          {[]byte{0x83, 0}, "protocol_error"},
		"reserved bit":             {[]byte{0xc1, 0}, "protocol_error"},
		"stray continuation":       {serverFrame(true, frame.Continuation, nil), "protocol_error"},
		"fragmented ping":          {serverFrame(false, frame.Ping, nil), "protocol_error"},
		"text that is not UTF-8":   {serverFrame(true, frame.Text, []byte{0xff}), "protocol_error"},
		"length not minimal":       {[]byte{0x81, 126, 0, 5}, "protocol_error"},
		"too large":                {frame.AppendHeader(nil, frame.Header{Final: true, Opcode: frame.Text, Length: maxMessage + 1}), "protocol_error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := rawServer(t, func(conn net.Conn, r *bufio.Reader) {
				time.Sleep(20 * time.Millisecond) // the client is to be open by then
				slowly(conn, c.sends)
				if c.sends != nil {
					_, _ = io.Copy(io.Discard, r)
				}
			})
			e := engineFor(t, addr, 2)
			e.Ramp(time.Now())
			through(t, e)
			require.Eventually(t, func() bool {
				p, _ := e.Snapshot(false)
				return p.Open == 0 && p.Closed.Sum() == 2
			}, 5*time.Second, time.Millisecond)
			counts := e.Finish(Published{})
			require.Equal(t, report.Classes{c.class: 2}, counts.Closed)
			require.Len(t, counts.Samples, 2)
			require.Equal(t, "closed."+c.class, counts.Samples[0].Class)
		})
	}
}

func TestServerThatNeverClosesIsTimedOut(t *testing.T) {
	t.Parallel()
	addr := rawServer(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
	e := engineFor(t, addr, 1)
	e.Ramp(time.Now())
	through(t, e)
	start := time.Now()
	e.Close(start)
	require.Eventually(t, func() bool {
		p, _ := e.Snapshot(false)
		return p.Done
	}, 2*closeWait, 10*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(start), closeWait-200*time.Millisecond)
	require.Equal(t, report.Classes{"timeout": 1}, e.Finish(Published{}).CloseFailures)
}

func TestSilentHandshakeTimesOut(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	e := engineFor(t, ln.Addr().(*net.TCPAddr).AddrPort(), 2)
	e.Ramp(time.Now())
	c := through(t, e)
	require.EqualValues(t, 2, c.Failed)
	require.Equal(t, report.Classes{"handshake.timeout": 2}, c.Failures)
	e.Finish(Published{})
}

func TestBroadcastsWhosePublishingFailedAreNotRequired(t *testing.T) {
	t.Parallel()
	listening := make(chan struct{})
	addr := rawServer(t, func(conn net.Conn, r *bufio.Reader) {
		<-listening
		_, _ = conn.Write(bytes.Join([][]byte{broadcastFrame(0), broadcastFrame(1), broadcastFrame(3), broadcastFrame(2), broadcastFrame(3), broadcastFrame(99)}, nil))
		_, _ = io.Copy(io.Discard, r)
	})
	e := engineFor(t, addr, 3)
	e.Ramp(time.Now())
	through(t, e)
	e.Listen(time.Minute)
	c := through(t, e)
	require.EqualValues(t, 3, c.Broadcast.Listeners)
	close(listening)
	require.Eventually(t, func() bool {
		p, _ := e.Snapshot(false)
		return p.Broadcast.Corrupted == 3
	}, 5*time.Second, time.Millisecond)
	// 0 to 5 were tried, 1 and 4 reported failure; 1 came nevertheless, 5 is lost.
	got := e.Finish(Published{Sent: slices.Repeat([]int64{time.Now().UnixNano()}, 6), Failed: []uint32{1, 4}}).Broadcast
	got.AheadOfTime = 0
	require.Equal(t, report.BroadcastCounts{
		Listeners: 3, Expected: 12, Delivered: 9, Lost: 3, Duplicated: 3, Reordered: 3, Corrupted: 3, Unconfirmed: 3, Affected: 3,
	}, got)
}
