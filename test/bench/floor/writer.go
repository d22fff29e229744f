package main

import (
	"net"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// queue is how many frames may wait for a writer: none does, unless the client is so
// slow that the run is worth nothing.
const queue = 1000

// writer is a thread with its connections.
type writer struct {
	frames chan []byte // to write to all

	mu  sync.Mutex // guards fds
	fds []int32    // in the order of their handshakes
}

// bare returns the connection's socket under a number of its own, so that once conn is
// closed no poller knows of it. It is in no epoll set, and non-blocking.
func bare(conn *net.TCPConn) (int32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var failed error
	if err := raw.Control(func(own uintptr) { fd, failed = syscall.Dup(int(own)) }); err != nil {
		return 0, err
	}
	return int32(fd), failed
}

func (w *writer) add(fd int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fds = append(w.fds, fd)
}

// work writes each frame to all, on a thread that does nothing else.
func (w *writer) work() {
	runtime.LockOSThread()
	for frame := range w.frames {
		w.mu.Lock()
		fds := w.fds
		w.mu.Unlock()
		w.remove(writeAll(fds, frame))
	}
}

// writeAll returns those that did not take the whole frame: their client has gone, or
// does not read, and misses it.
func writeAll(fds []int32, frame []byte) (gone map[int32]bool) {
	for _, fd := range fds {
		n, _, _ := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(frame))), uintptr(len(frame)))
		if n == uintptr(len(frame)) {
			continue
		}
		if gone == nil {
			gone = map[int32]bool{}
		}
		gone[fd] = true
	}
	return gone
}

func (w *writer) remove(gone map[int32]bool) {
	if len(gone) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	stay := make([]int32, 0, len(w.fds))
	for _, fd := range w.fds {
		if gone[fd] {
			_ = syscall.Close(int(fd))
		} else {
			stay = append(stay, fd)
		}
	}
	w.fds = stay
}
