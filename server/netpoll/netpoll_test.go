//go:build linux

package netpoll

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// probe is a Handler made of functions; those left nil do nothing.
type probe struct {
	Conn
	open  func()
	data  func([]byte)
	timer func()
	close func(error)
}

func (p *probe) OnOpen() {
	if p.open != nil {
		p.open()
	}
}
func (p *probe) OnData(b []byte) {
	if p.data != nil {
		p.data(b)
	}
}
func (p *probe) OnTimer() {
	if p.timer != nil {
		p.timer()
	}
}
func (p *probe) OnClose(err error) {
	if p.close != nil {
		p.close(err)
	}
}

// startLoop runs a loop for the length of the test.
func startLoop(t *testing.T, cfg Config) *Loop {
	t.Helper()
	l, err := New(cfg)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		require.NoError(t, <-done)
	})
	return l
}

// on runs f on the loop and waits for it.
func on(t *testing.T, l *Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	require.True(t, l.Post(func() { f(); close(done) }))
	<-done
}

// listen accepts on the loop; fresh makes the handler of each connection.
func listen(t *testing.T, l *Loop, fresh func() *probe) netip.AddrPort {
	t.Helper()
	var addr netip.AddrPort
	on(t, l, func() {
		ln, err := l.Listen(loopback, ListenOptions{KeepAlive: KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}}, func(fd int) {
			p := fresh()
			require.NoError(t, l.Attach(&p.Conn, fd, p))
		})
		require.NoError(t, err)
		addr = ln.Addr()
	})
	return addr
}

func echoServer(t *testing.T, l *Loop) netip.AddrPort {
	return listen(t, l, func() *probe {
		p := &probe{}
		p.data = func(b []byte) { _ = p.Write(b) }
		return p
	})
}

func dialTCP(t *testing.T, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	return c
}

func TestEchoLargerThanSocketBuffers(t *testing.T) {
	l := startLoop(t, Config{MaxQueue: 64 << 20})
	c := dialTCP(t, echoServer(t, l))
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, len(sent))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(sent, got))
	require.Zero(t, l.Stats().QueuedBytes.Load())
	require.Equal(t, uint64(len(sent)), l.Stats().BytesRead.Load())
	require.Equal(t, uint64(len(sent)), l.Stats().BytesWritten.Load())
}

func TestAcceptedSocketInheritsOptions(t *testing.T) {
	l := startLoop(t, Config{})
	got := make(chan [2]int, 1)
	addr := listen(t, l, func() *probe {
		p := &probe{}
		p.data = func([]byte) {
			nodelay, _ := unix.GetsockoptInt(int(p.fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
			idle, _ := unix.GetsockoptInt(int(p.fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
			got <- [2]int{nodelay, idle}
		}
		return p
	})
	_, err := dialTCP(t, addr).Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 60}, <-got)
}

func TestDialConnectsAndReportsRefusal(t *testing.T) {
	l := startLoop(t, Config{})
	addr := echoServer(t, l)
	echoed := make(chan string, 1)
	p := &probe{data: func(b []byte) { echoed <- string(b) }}
	p.open = func() { _ = p.Write([]byte("hi")) }
	on(t, l, func() { require.NoError(t, l.Dial(&p.Conn, p, netip.MustParseAddr("127.0.0.9"), addr)) })
	require.Equal(t, "hi", <-echoed)

	on(t, l, l.StopListening)
	refused := make(chan error, 1)
	q := &probe{close: func(err error) { refused <- err }}
	on(t, l, func() { require.NoError(t, l.Dial(&q.Conn, q, netip.Addr{}, addr)) })
	require.ErrorIs(t, <-refused, syscall.ECONNREFUSED)
}

func TestSlowConsumerIsBounded(t *testing.T) {
	l := startLoop(t, Config{MaxQueue: 128 << 10})
	result := make(chan error, 1)
	addr := listen(t, l, func() *probe {
		p := &probe{}
		p.data = func([]byte) {
			block := make([]byte, 32<<10)
			for {
				if err := p.Write(block); err != nil {
					require.LessOrEqual(t, p.Queued(), 128<<10)
					p.Close(err)
					result <- err
					return
				}
			}
		}
		return p
	})
	_, err := dialTCP(t, addr).Write([]byte("x"))
	require.NoError(t, err)
	require.ErrorIs(t, <-result, ErrSlowConsumer)
	require.Zero(t, l.Stats().QueuedBytes.Load())
}

// A peer that does not take its answers is not read from any more, and is again
// once it takes them.
func TestReadPausesWhileAnswersWait(t *testing.T) {
	l := startLoop(t, Config{MaxQueue: 16 << 20})
	reply := make([]byte, 8<<20)
	var p *probe
	addr := listen(t, l, func() *probe {
		p = &probe{}
		p.data = func(b []byte) { _ = p.Write(reply[:len(b)*len(reply)/2]) }
		return p
	})
	c := dialTCP(t, addr)
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	paused := func() (v bool) {
		on(t, l, func() { v = p != nil && p.flags&flagReadPaused != 0 })
		return v
	}
	require.Eventually(t, paused, 5*time.Second, 5*time.Millisecond)
	_, err = c.Write([]byte("y"))
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, c, int64(len(reply)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !paused() }, 5*time.Second, 5*time.Millisecond)
}

func TestCloseFlushedDeliversEverything(t *testing.T) {
	l := startLoop(t, Config{MaxQueue: 32 << 20})
	size := 8 << 20
	closed := make(chan error, 1)
	addr := listen(t, l, func() *probe {
		p := &probe{close: func(err error) { closed <- err }}
		p.data = func([]byte) {
			_ = p.Write(make([]byte, size))
			p.CloseFlushed()
		}
		return p
	})
	c := dialTCP(t, addr)
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, c)
	require.NoError(t, err)
	require.Equal(t, int64(size), n)
	require.ErrorIs(t, <-closed, ErrClosed)
}

func TestPeerCloseAndReset(t *testing.T) {
	l := startLoop(t, Config{})
	closed := make(chan error, 2)
	addr := listen(t, l, func() *probe { return &probe{close: func(err error) { closed <- err }} })
	require.NoError(t, dialTCP(t, addr).Close())
	require.ErrorIs(t, <-closed, io.EOF)
	c := dialTCP(t, addr)
	require.NoError(t, c.SetLinger(0))
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-closed, syscall.ECONNRESET)
	require.Eventually(t, func() bool { return l.Stats().Conns.Load() == 0 }, time.Second, time.Millisecond)
}

func TestStopClosesConnectionsAndRefusesTasks(t *testing.T) {
	l, err := New(Config{})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	opened, closed := make(chan struct{}, 1), make(chan error, 1)
	addr := listen(t, l, func() *probe {
		return &probe{data: func([]byte) { opened <- struct{}{} }, close: func(err error) { closed <- err }}
	})
	c := dialTCP(t, addr)
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	<-opened
	l.Stop()
	require.NoError(t, <-done)
	require.ErrorIs(t, <-closed, ErrClosed)
	require.False(t, l.Post(func() {}))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestPostKeepsOrderFromManyGoroutines(t *testing.T) {
	l := startLoop(t, Config{})
	const workers, each = 8, 1000
	got := make([][]int, workers)
	done := make(chan struct{}, workers)
	for w := range workers {
		go func() {
			for i := range each {
				l.Post(func() { got[w] = append(got[w], i) })
			}
			l.Post(func() { done <- struct{}{} })
		}()
	}
	for range workers {
		<-done
	}
	for w := range workers {
		require.Len(t, got[w], each)
		require.IsIncreasing(t, got[w])
	}
}

// A loop out of file descriptors pauses instead of spinning, and accepts again
// when there are some.
func TestAcceptSurvivesFileLimit(t *testing.T) {
	l := startLoop(t, Config{})
	addr := echoServer(t, l)
	c := dialTCP(t, addr)
	var old unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	t.Cleanup(func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) })
	_, err := c.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 1))
	require.NoError(t, err)

	fd, err := unix.Dup(0)
	require.NoError(t, err)
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	f := os.NewFile(uintptr(sock), "late")
	defer f.Close()
	require.NoError(t, unix.Close(fd))
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(min(fd, sock)), Max: old.Max}))
	_, sa := sockaddr(addr)
	require.NoError(t, unix.Connect(sock, sa)) // the kernel completes it; the loop can't accept it
	require.Eventually(t, func() bool { return l.Stats().AcceptErrors.Load() > 0 }, 5*time.Second, time.Millisecond)
	seen := l.Stats().AcceptErrors.Load()
	time.Sleep(5 * acceptPause)
	require.LessOrEqual(t, l.Stats().AcceptErrors.Load(), seen+7, "the loop spins on a listener it can't serve")

	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
	_, err = unix.Write(sock, []byte("z"))
	require.NoError(t, err)
	got := make([]byte, 1)
	n, err := unix.Read(sock, got)
	require.NoError(t, err)
	require.Equal(t, "z", string(got[:n]))
}

func TestSeveralListeners(t *testing.T) {
	l := startLoop(t, Config{})
	first, second := echoServer(t, l), echoServer(t, l)
	require.NotEqual(t, first, second)
	for _, addr := range []netip.AddrPort{first, second, first} {
		c := dialTCP(t, addr)
		_, err := c.Write([]byte("x"))
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, 1))
		require.NoError(t, err)
	}
	on(t, l, l.StopListening)
	for _, addr := range []netip.AddrPort{first, second} {
		_, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
}

func TestLoopRunsOnItsCPUs(t *testing.T) {
	var allowed unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &allowed))
	cpu := 0
	for !allowed.IsSet(cpu) {
		cpu++
	}
	l := startLoop(t, Config{CPUs: []int{cpu}})
	on(t, l, func() {
		var set unix.CPUSet
		require.NoError(t, unix.SchedGetaffinity(0, &set))
		require.Equal(t, 1, set.Count())
		require.True(t, set.IsSet(cpu))
	})

	impossible, err := New(Config{CPUs: []int{1000}})
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() { failed <- impossible.Run() }()
	require.ErrorContains(t, <-failed, "CPUs [1000]")
}

func TestBindToForeignAddressFails(t *testing.T) {
	l := startLoop(t, Config{})
	on(t, l, func() {
		p := &probe{}
		err := l.Dial(&p.Conn, p, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort("127.0.0.1:9"))
		require.True(t, errors.Is(err, unix.EADDRNOTAVAIL), "%v", err)
		require.ErrorContains(t, err, "192.0.2.1")
	})
}
