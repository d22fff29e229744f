//go:build linux

package netpoll

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readBufferSize is the most that one read takes. One buffer serves all
	// connections of a loop.
	readBufferSize = 64 << 10
	// maxEvents is how many ready connections one epoll_wait returns; it
	// bounds how long a timer or a posted task waits behind sockets.
	maxEvents = 512
	// stall is how much longer than it meant to wait a round may begin before the
	// excess counts as a stall. See Loop.Now.
	stall = time.Second
)

// Config of a loop. Zero fields take their default.
type Config struct {
	// MaxQueue bounds the write queue of each connection, in bytes. A single
	// write larger than it fails on a socket that does not take it whole.
	// Default 256 KiB.
	MaxQueue int
	// CPUs that the loop's thread may run on; empty leaves it to the kernel.
	CPUs []int
}

// Loop is one event loop: an epoll set, a timer wheel and a queue of tasks. All
// methods but Post, Stop and Stats may be called on the loop only (from a
// handler, a task, or before Run).
type Loop struct {
	cfg       Config
	epfd      int
	epfile    *os.File // epfd, in the runtime's poller
	epconn    syscall.RawConn
	deadline  time.Time // of epfile
	wakefd    int
	conns     []*Conn // by file descriptor
	wheel     wheel
	clock     time.Duration
	buf       []byte
	iov       [flushParts]unix.Iovec // scratch of flush
	readLimit int                    // bytes; 0 is all of buf
	listeners []*Listener
	stats     Stats
	stopped   bool

	woken atomic.Bool // wakefd has been written and not yet read
	mu    sync.Mutex  // guards tasks and dead
	tasks []func()
	dead  bool
	spare []func() // the slice of tasks that is not being filled
}

// New returns a loop that does nothing until Run.
func New(cfg Config) (*Loop, error) {
	if cfg.MaxQueue <= 0 {
		cfg.MaxQueue = 256 << 10
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("netpoll: epoll_create1: %w", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epfd)
		return nil, fmt.Errorf("netpoll: eventfd: %w", err)
	}
	l := &Loop{
		cfg: cfg, epfd: epfd, wakefd: wakefd,
		buf: make([]byte, readBufferSize),
	}
	// Non-blocking descriptors are what os.NewFile takes into the runtime's poller.
	if err := unix.SetNonblock(epfd, true); err != nil {
		l.release()
		return nil, fmt.Errorf("netpoll: epoll set: %w", err)
	}
	l.epfile = os.NewFile(uintptr(epfd), "epoll")
	if l.epconn, err = l.epfile.SyscallConn(); err != nil {
		l.release()
		return nil, fmt.Errorf("netpoll: epoll set: %w", err)
	}
	if err := l.poll(unix.EPOLL_CTL_ADD, int32(wakefd), unix.EPOLLIN); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// Stats returns the loop's counters. Safe from any goroutine.
func (l *Loop) Stats() *Stats { return &l.stats }

// Now returns the loop's clock, read once a round. It starts at 0 and leaves out
// the time for which the loop stalled (the process was stopped, the machine
// suspended, the CPU taken away): data that came meanwhile has not been read
// yet, so nobody's silence may be measured over it.
func (l *Loop) Now() time.Duration { return l.clock }

// LimitReads bounds what is read at once from a connection, in bytes; 0 lifts the
// bound.
func (l *Loop) LimitReads(n int) { l.readLimit = min(n, len(l.buf)) }

// Post runs f on the loop, after the tasks posted before it. It never blocks and
// is safe from any goroutine, the loop's own included. It reports false when the
// loop has ended: f will not run then.
func (l *Loop) Post(f func()) bool {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return false
	}
	l.tasks = append(l.tasks, f)
	l.mu.Unlock()
	if !l.woken.Swap(true) {
		one := [8]byte{1}
		writeEvent(int32(l.wakefd), &one)
	}
	return true
}

// Stop ends Run after the round in progress. Safe from any goroutine.
func (l *Loop) Stop() { l.Post(func() { l.stopped = true }) }

// Run serves the loop in the calling goroutine, which it ties to a thread if the loop
// is bound to CPUs, until Stop, then closes its
// listener and its connections (with ErrClosed) and gives everything back. The
// error is that of epoll_wait, which has no known cause on a sound system.
func (l *Loop) Run() error {
	defer l.release()
	if len(l.cfg.CPUs) > 0 {
		if err := pin(l.cfg.CPUs); err != nil {
			return err
		}
	}
	events := make([]unix.EpollEvent, maxEvents)
	last := time.Now()
	for !l.stopped {
		n, waited, err := l.waitEvents(events)
		if err != nil {
			return fmt.Errorf("netpoll: epoll_wait: %w", err)
		}
		now := time.Now()
		if passed := now.Sub(last); passed <= waited+stall {
			l.clock += passed
		} else {
			l.clock += waited
			l.stats.lagged(passed - waited)
		}
		last = now
		l.stats.roundStarts(now)
		for i := range events[:n] {
			l.dispatch(&events[i])
		}
		l.wheel.fire(l.clock)
		l.runTasks()
		l.stats.roundEnds(time.Now())
	}
	return nil
}

// waitEvents returns what is ready, and waits only if nothing is. It waits in the Go
// runtime's own poller, which watches the loop's epoll set: a thread that blocked in
// epoll_wait would have to give its processor away and get it back each time. It also
// returns the time it may have meant to wait.
func (l *Loop) waitEvents(events []unix.EpollEvent) (n int, wait time.Duration, err error) {
	n, errno := pollNow(l.epfd, events)
	if n > 0 || errno != 0 && errno != unix.EINTR {
		return max(n, 0), 0, errnoErr(errno)
	}
	wait = l.wheel.wait(l.clock)
	deadline := time.Time{}
	if wait >= 0 {
		deadline = time.Now().Add(wait)
	} else {
		wait = time.Hour // no timer is set: nothing measures the silence
	}
	if !deadline.Equal(l.deadline) {
		l.deadline = deadline
		if err := l.epfile.SetReadDeadline(deadline); err != nil {
			return 0, wait, err
		}
	}
	began := time.Now()
	err = l.epconn.Read(func(uintptr) bool {
		n, errno = pollNow(l.epfd, events)
		return n > 0 || errno != 0 && errno != unix.EINTR
	})
	l.stats.Idle.Add(int64(time.Since(began)))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// What arrived meanwhile is read before timers judge the silence.
		n, errno = pollNow(l.epfd, events)
		err = nil
	}
	if err == nil {
		err = errnoErr(errno)
	}
	return max(n, 0), wait, err
}

func errnoErr(errno unix.Errno) error {
	if errno == 0 || errno == unix.EINTR {
		return nil
	}
	return errno
}

func (l *Loop) dispatch(ev *unix.EpollEvent) {
	fd := ev.Fd
	if int(fd) == l.wakefd {
		return // tasks run at the end of every round
	}
	if int(fd) >= len(l.conns) || l.conns[fd] == nil {
		l.acceptOn(fd)
		return
	}
	// An earlier event of this round may have closed the connection, and even
	// given its number to a new one: reads and writes of that one find nothing
	// to do (EAGAIN), so a stale event is harmless.
	c := l.conns[fd]
	if c.flags&flagConnecting != 0 {
		c.connected()
		return
	}
	if ev.Events&unix.EPOLLOUT != 0 && c.queue != nil {
		c.flush()
	}
	if ev.Events&^unix.EPOLLOUT != 0 && !c.Closed() {
		c.read()
	}
}

func (l *Loop) runTasks() {
	if !l.woken.Load() {
		return
	}
	var count [8]byte
	readEvent(int32(l.wakefd), &count)
	l.woken.Store(false)
	l.mu.Lock()
	tasks := l.tasks
	l.tasks = l.spare
	l.mu.Unlock()
	for i, f := range tasks {
		f()
		tasks[i] = nil
	}
	l.spare = tasks[:0]
}

// Attach makes c the loop's, over the connected non-blocking socket fd, and
// sends its events to h. The loop owns fd from here on, also when it fails.
func (l *Loop) Attach(c *Conn, fd int, h Handler) error {
	*c = Conn{loop: l, handler: h, fd: int32(fd)}
	return l.add(c, unix.EPOLLIN)
}

func (l *Loop) add(c *Conn, events uint32) error {
	if err := l.poll(unix.EPOLL_CTL_ADD, c.fd, events); err != nil {
		_ = unix.Close(int(c.fd))
		c.flags |= flagClosed
		return err
	}
	if need := int(c.fd) + 1; need > len(l.conns) {
		l.conns = append(l.conns, make([]*Conn, max(need-len(l.conns), len(l.conns)/2))...)
	}
	l.conns[c.fd] = c
	l.stats.Conns.Add(1)
	return nil
}

// Handlers calls yield with the handler of every connection, until it returns
// false. yield must not open connections.
func (l *Loop) Handlers(yield func(Handler) bool) {
	for _, c := range l.conns {
		if c != nil && !yield(c.handler) {
			return
		}
	}
}

func (l *Loop) remove(c *Conn) {
	l.conns[c.fd] = nil
	_ = unix.Close(int(c.fd)) // leaves the epoll set with it
	l.stats.Conns.Add(-1)
}

func (l *Loop) poll(op int, fd int32, events uint32) error {
	if err := unix.EpollCtl(l.epfd, op, int(fd), &unix.EpollEvent{Events: events, Fd: fd}); err != nil {
		return fmt.Errorf("netpoll: epoll_ctl: %w", err)
	}
	return nil
}

func (l *Loop) release() {
	l.mu.Lock()
	l.dead = true
	l.tasks = nil
	l.mu.Unlock()
	for _, ln := range l.listeners {
		_ = unix.Close(int(ln.fd))
	}
	l.listeners = nil
	for _, c := range l.conns {
		if c != nil {
			c.Close(ErrClosed)
		}
	}
	_ = unix.Close(l.wakefd)
	if l.epfile == nil {
		_ = unix.Close(l.epfd)
		return
	}
	_ = l.epfile.Close()
}
