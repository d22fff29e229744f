//go:build linux

package netpoll

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// listenBacklog asks for the most; the kernel cuts it to net.core.somaxconn.
	listenBacklog = 65535
	// acceptBatch is how many connections one round accepts, so that a storm
	// of new ones does not hold up those that are open.
	acceptBatch = 64
	// acceptPause is how long a loop that is out of file descriptors leaves
	// its listener alone: epoll would report it at once, for ever.
	acceptPause = 100 * time.Millisecond
)

// Listener is one of a loop's own listening sockets. Several loops and processes
// share an address through SO_REUSEPORT, and the kernel spreads connections over them.
type Listener struct {
	fd     int32
	addr   netip.AddrPort
	paused Conn // carries only the timer that ends a pause
	accept func(fd int)
}

// ListenOptions are of a listening socket and those that it accepts.
type ListenOptions struct {
	KeepAlive KeepAlive // the zero value for none
	// DeferAccept, in whole seconds, is for protocols whose clients speak first: a connection is accepted once its first
	// bytes are there, or has said nothing for so long; tcp(7), TCP_DEFER_ACCEPT. One event then opens it, not two. A
	// client that leaves before it has spoken is never heard of. 0 accepts at once.
	DeferAccept time.Duration
}

// KeepAlive is the TCP keepalive of accepted sockets, beneath any heartbeat of
// the protocol above.
type KeepAlive struct {
	Idle, Interval time.Duration // whole seconds
	Count          int
}

// Listen opens a listening socket on addr (IPv4 or IPv6; port 0 takes a free
// one). accept is called on the loop with every accepted socket, non-blocking
// and owned by the callee from then on.
func (l *Loop) Listen(addr netip.AddrPort, options ListenOptions, accept func(fd int)) (*Listener, error) {
	family, sa := sockaddr(addr)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("netpoll: socket: %w", err)
	}
	if err := setupListener(fd, sa, options); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("netpoll: listen on %s: %w", addr, err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("netpoll: listen on %s: %w", addr, err)
	}
	ln := &Listener{fd: int32(fd), addr: addrPort(bound), accept: accept}
	ln.paused = Conn{loop: l, handler: resumeAccept{l, ln}, fd: -1}
	if err := l.poll(unix.EPOLL_CTL_ADD, ln.fd, unix.EPOLLIN); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	l.listeners = append(l.listeners, ln)
	return ln, nil
}

// Addr returns the address the listener is bound to.
func (ln *Listener) Addr() netip.AddrPort { return ln.addr }

// setupListener sets on the listening socket what every accepted one inherits,
// which saves five system calls a connection.
func setupListener(fd int, sa unix.Sockaddr, o ListenOptions) error {
	type option struct{ level, name, value int }
	options := []option{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	}
	if o.DeferAccept > 0 {
		options = append(options, option{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, int(o.DeferAccept.Seconds())})
	}
	if ka := o.KeepAlive; ka.Idle > 0 {
		options = append(options, []option{
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(ka.Idle.Seconds())},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(ka.Interval.Seconds())},
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, ka.Count},
		}...)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("setsockopt %d/%d: %w", o.level, o.name, err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return err
	}
	return unix.Listen(fd, listenBacklog)
}

// StopListening closes the loop's listeners; connections stay. Those that the kernel
// has completed by now are accepted first: they would be reset.
func (l *Loop) StopListening() {
	listeners := l.listeners
	l.listeners = nil
	for _, ln := range listeners {
		for before := ^uint64(0); l.stats.Accepted.Load() != before; {
			before = l.stats.Accepted.Load()
			l.accept(ln)
		}
		ln.paused.StopTimer()
		_ = unix.Close(int(ln.fd))
	}
}

// acceptOn serves an event of a descriptor that is no connection: a listener, unless
// it was closed in this very round.
func (l *Loop) acceptOn(fd int32) {
	for _, ln := range l.listeners {
		if ln.fd == fd {
			l.accept(ln)
			return
		}
	}
}

func (l *Loop) accept(ln *Listener) {
	for range acceptBatch {
		fd, errno := acceptSocket(ln.fd)
		switch errno {
		case 0:
			l.stats.Accepted.Add(1)
			ln.accept(fd)
		case unix.EAGAIN:
			return
		case unix.ECONNABORTED: // gone before it was accepted; the next may be well
		default: // EMFILE, ENFILE, ENOBUFS, ENOMEM: no resource now
			l.stats.AcceptErrors.Add(1)
			_ = l.poll(unix.EPOLL_CTL_MOD, ln.fd, 0)
			ln.paused.SetTimer(acceptPause)
			return
		}
	}
}

func acceptSocket(listener int32) (int, unix.Errno) {
	for {
		fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if errno != unix.EINTR {
			return int(fd), errno
		}
	}
}

// resumeAccept ends the pause that acceptPause began.
type resumeAccept struct {
	l  *Loop
	ln *Listener
}

func (r resumeAccept) OnTimer()    { _ = r.l.poll(unix.EPOLL_CTL_MOD, r.ln.fd, unix.EPOLLIN) }
func (resumeAccept) OnOpen()       {}
func (resumeAccept) OnData([]byte) {}
func (resumeAccept) OnClose(error) {}
