// Command floor is what a broadcast can't do without: one thread that writes the same
// frame to every connection, a bare write(2) for each, in the order in which they
// came. It does nothing else. What a server takes more than this is its own doing.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/gobwas/ws"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8765", "address for WebSocket connections")
	admin := flag.String("admin", "127.0.0.1:8766", "address for publish")
	send := flag.Bool("send", false, "send(2) without signals in place of write(2)")
	flag.Parse()
	if err := run(*listen, *admin, *send); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(listen, admin string, send bool) error {
	ln, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	w := &writer{send: send, frames: make(chan []byte)}
	go w.work()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, runtime.Version()) })
	mux.HandleFunc("POST /publish", func(rw http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		w.frames <- ws.MustCompileFrame(ws.NewTextFrame(payload))
		rw.WriteHeader(http.StatusNoContent)
	})
	errs := make(chan error, 2)
	go func() { errs <- http.ListenAndServe(admin, mux) }()
	go func() { errs <- w.accept(ln) }()
	return <-errs
}

// writer owns the connections.
type writer struct {
	send   bool
	frames chan []byte // to write to all

	mu  sync.Mutex // guards fds
	fds []int32    // in the order of their handshakes
}

func (w *writer) accept(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if _, err := ws.Upgrade(conn); err != nil {
				return
			}
			fd, err := bare(conn.(*net.TCPConn))
			if err != nil {
				return
			}
			w.mu.Lock()
			w.fds = append(w.fds, fd)
			w.mu.Unlock()
		}()
	}
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

// work writes each frame to all, on a thread that does nothing else.
func (w *writer) work() {
	runtime.LockOSThread()
	for frame := range w.frames {
		w.mu.Lock()
		fds := w.fds
		w.mu.Unlock()
		gone := w.writeAll(fds, frame)
		w.remove(gone)
	}
}

// writeAll returns those that did not take the whole frame: their client has gone, or
// does not read, and misses it.
func (w *writer) writeAll(fds []int32, frame []byte) (gone map[int32]bool) {
	p, size := uintptr(unsafe.Pointer(unsafe.SliceData(frame))), uintptr(len(frame))
	for _, fd := range fds {
		var n uintptr
		if w.send {
			n, _, _ = syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), p, size, syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, 0, 0)
		} else {
			n, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), p, size)
		}
		if n != size {
			if gone == nil {
				gone = map[int32]bool{}
			}
			gone[fd] = true
		}
	}
	runtime.KeepAlive(frame)
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
