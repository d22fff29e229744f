//go:build linux

package netpoll

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Errors that a Conn is closed with, beside io.EOF (the peer closed) and the
// unix.Errno of a failed system call.
var (
	// ErrSlowConsumer: the peer reads more slowly than it is written to, and
	// the write queue has reached its bound.
	ErrSlowConsumer = errors.New("netpoll: write queue is full")
	// ErrClosed: the connection or its loop has been closed by this side.
	ErrClosed = errors.New("netpoll: closed")
)

// Handler gets the events of one Conn. All methods are called on the loop that
// owns the Conn and must not block.
type Handler interface {
	// OnOpen says that a dialled connection is established. Accepted
	// connections are open from the start and do not get it.
	OnOpen()
	// OnData brings received bytes. The loop owns p and uses it again once
	// OnData returns.
	OnData(p []byte)
	// OnTimer says that the duration last given to SetTimer has passed.
	OnTimer()
	// OnClose is the last call a handler gets, exactly once. err is io.EOF
	// when the peer closed, else the reason given to Close or the failure.
	OnClose(err error)
}

// Drainer is a Handler that paces what it sends by what the peer takes.
type Drainer interface {
	// OnDrained says that the write queue is empty again. Called on the loop;
	// it may write.
	OnDrained()
}

// readPauseBytes is how much may wait in the write queue before the loop stops
// reading from the peer: one that does not take its answers gets to ask no
// more. It is a quarter of the default bound of the queue.
const readPauseBytes = 64 << 10

type connFlags uint8

const (
	flagConnecting connFlags = 1 << iota
	flagClosed
	flagCloseFlushed // close as soon as the write queue is empty
	flagWantWrite    // EPOLLOUT is armed
	flagReadPaused   // EPOLLIN is not armed
	flagReadHeld     // PauseReading
	flagReadFreely   // LimitReads does not apply
)

// Conn is one non-blocking TCP connection, made to be embedded in the type that
// handles it so that both are one allocation. The zero value belongs to no
// loop. Only its loop may touch a Conn.
type Conn struct {
	loop    *Loop
	handler Handler
	queue   *writeQueue // nil while nothing waits
	next    *Conn       // timer wheel, guarded by being on the loop
	prev    *Conn
	due     uint32 // tick of the timer; 0 when none is set
	fd      int32
	flags   connFlags
}

// Loop returns the loop that owns c.
func (c *Conn) Loop() *Loop { return c.loop }

// Closed reports whether c was closed; its handler has had OnClose then.
func (c *Conn) Closed() bool { return c.flags&flagClosed != 0 }

// Queued returns the bytes that wait for the socket to take them.
func (c *Conn) Queued() int {
	if c.queue == nil {
		return 0
	}
	return c.queue.len()
}

// RemoteAddr asks the kernel for the peer's address; it is not kept in memory.
func (c *Conn) RemoteAddr() (netip.AddrPort, error) {
	sa, err := unix.Getpeername(int(c.fd))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return addrPort(sa), nil
}

// Write sends p, at once if the socket takes it; the rest is copied to the
// queue. It returns ErrSlowConsumer, having queued nothing, when the queue would
// pass Config.MaxQueue: the caller closes the connection then. Other failures
// close it before Write returns.
func (c *Conn) Write(p []byte) error { return c.write(p, c.loop.cfg.MaxQueue, (*writeQueue).push) }

// WriteShared is Write of what nobody changes any more: the queue refers to p rather
// than copying it, so that a message to many slow readers waits in memory once. It
// takes p whatever its size if nothing waits: the queue then holds this one message.
func (c *Conn) WriteShared(p []byte) error {
	limit := c.loop.cfg.MaxQueue
	if c.queue == nil {
		limit = max(limit, len(p))
	}
	return c.write(p, limit, (*writeQueue).share)
}

// write sends p. What the socket does not take is queued by add, up to limit bytes in all.
func (c *Conn) write(p []byte, limit int, add func(*writeQueue, []byte)) error {
	if c.Closed() {
		return ErrClosed
	}
	if c.queue == nil && c.flags&flagConnecting == 0 {
		n, errno := send(c.fd, p)
		switch {
		case errno == 0:
			c.loop.stats.BytesWritten.Add(uint64(n))
			if n == len(p) {
				return nil
			}
			p = p[n:]
		case errno != unix.EAGAIN:
			c.Close(errno)
			return errno
		}
	}
	return c.enqueue(p, limit, add)
}

func (c *Conn) enqueue(p []byte, limit int, add func(*writeQueue, []byte)) error {
	if len(p) == 0 {
		return nil
	}
	if c.Queued()+len(p) > limit {
		return ErrSlowConsumer
	}
	if c.queue == nil {
		c.queue = &writeQueue{}
	}
	add(c.queue, p)
	c.loop.stats.QueuedBytes.Add(int64(len(p)))
	c.updateInterest()
	return nil
}

// flush writes what is queued after EPOLLOUT.
func (c *Conn) flush() {
	parts := c.queue.vector(c.loop.iov[:])
	n, errno := sendVector(c.fd, parts)
	clear(parts) // they would keep what has been sent in memory
	if errno == unix.EAGAIN {
		return
	}
	if errno != 0 {
		c.Close(errno)
		return
	}
	c.queue.pop(n)
	c.loop.stats.BytesWritten.Add(uint64(n))
	c.loop.stats.QueuedBytes.Add(-int64(n))
	if c.queue.len() == 0 {
		c.queue = nil
		if c.flags&flagCloseFlushed != 0 {
			c.Close(ErrClosed)
			return
		}
	}
	c.updateInterest()
	if c.queue == nil && !c.Closed() {
		if d, ok := c.handler.(Drainer); ok {
			d.OnDrained()
		}
	}
}

// updateInterest brings what epoll watches in line with the queue.
func (c *Conn) updateInterest() {
	want := c.flags &^ (flagWantWrite | flagReadPaused)
	events := uint32(unix.EPOLLIN)
	if c.queue != nil || c.flags&flagConnecting != 0 {
		want |= flagWantWrite
		events |= unix.EPOLLOUT
	}
	if c.Queued() > readPauseBytes || c.flags&flagReadHeld != 0 {
		want |= flagReadPaused
		events &^= unix.EPOLLIN
	}
	if want == c.flags {
		return
	}
	c.flags = want
	if err := c.loop.poll(unix.EPOLL_CTL_MOD, c.fd, events); err != nil {
		c.Close(err)
	}
}

// ReadFreely exempts c from Loop.LimitReads, or no more.
func (c *Conn) ReadFreely(yes bool) {
	c.flags &^= flagReadFreely
	if yes {
		c.flags |= flagReadFreely
	}
}

// read takes what has arrived, at most one loop buffer: level-triggered epoll
// brings the connection back if there is more, after the others had their turn.
func (c *Conn) read() {
	buf := c.loop.buf
	if limit := c.loop.readLimit; limit > 0 && c.flags&flagReadFreely == 0 {
		buf = buf[:limit]
	}
	n, errno := receive(c.fd, buf)
	switch {
	case errno == unix.EAGAIN:
	case errno != 0:
		c.Close(errno)
	case n == 0:
		c.Close(io.EOF)
	default:
		c.loop.stats.BytesRead.Add(uint64(n))
		c.handler.OnData(buf[:n])
	}
}

// PauseReading leaves what arrives in the kernel, which lets the peer send no more
// than its buffer takes, until ResumeReading. A reset is noticed all the same, the
// peer's end of the stream only afterwards.
func (c *Conn) PauseReading() {
	if !c.Closed() {
		c.flags |= flagReadHeld
		c.updateInterest()
	}
}

// ResumeReading ends PauseReading.
func (c *Conn) ResumeReading() {
	if !c.Closed() {
		c.flags &^= flagReadHeld
		c.updateInterest()
	}
}

// connected finishes a dial after EPOLLOUT or an error.
func (c *Conn) connected() {
	errno, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		c.Close(err)
		return
	}
	c.flags &^= flagConnecting
	c.handler.OnOpen()
	if !c.Closed() {
		c.updateInterest()
	}
}

// CloseFlushed closes c once everything queued was handed to the kernel.
func (c *Conn) CloseFlushed() {
	if c.queue == nil {
		c.Close(ErrClosed)
		return
	}
	c.flags |= flagCloseFlushed
}

// ShutdownWrite sends FIN after what the kernel already holds, so that the peer
// reads everything sent to it although this side will read no more. What is
// still queued here is dropped.
func (c *Conn) ShutdownWrite() {
	if !c.Closed() {
		_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
}

// Close closes the socket at once, drops what is queued and calls the handler's
// OnClose with err. Later calls do nothing.
func (c *Conn) Close(err error) {
	if c.Closed() {
		return
	}
	c.flags |= flagClosed
	c.StopTimer()
	c.loop.stats.QueuedBytes.Add(-int64(c.Queued()))
	c.queue = nil
	c.loop.remove(c)
	c.handler.OnClose(err)
}

// Abort is Close with a reset (RST) instead of FIN: the kernel drops what the peer has
// not taken, and no TIME_WAIT holds a port, which is what a load generator wants of a
// million connections.
func (c *Conn) Abort(err error) {
	if !c.Closed() {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	c.Close(err)
}

// SetTimer calls OnTimer once after d, rounded up to the wheel's tick; it
// replaces the timer set before. A connection has one timer.
func (c *Conn) SetTimer(d time.Duration) {
	if !c.Closed() {
		c.loop.wheel.set(c, c.loop.clock, d)
	}
}

// StopTimer cancels the timer if one is set.
func (c *Conn) StopTimer() { c.loop.wheel.stop(c) }
