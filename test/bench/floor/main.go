// Command floor is what a broadcast can't do without: threads that write the same frame
// to every connection, a bare write(2) for each, in the order in which they came. It does
// nothing else. What a server takes more than this is its own doing.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/gobwas/ws"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8765", "address for WebSocket connections")
	admin := flag.String("admin", "127.0.0.1:8766", "address for publish")
	threads := flag.Int("threads", 1, "threads that write, each to its share of the connections")
	flag.Parse()
	if err := run(*listen, *admin, *threads); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(listen, admin string, threads int) error {
	if threads < 1 {
		return fmt.Errorf("-threads %d: want 1 or more", threads)
	}
	ln, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	writers := make([]*writer, threads)
	for i := range writers {
		writers[i] = &writer{frames: make(chan []byte, queue)}
		go writers[i].work()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, runtime.Version()) })
	mux.HandleFunc("POST /publish", func(rw http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		frame := ws.MustCompileFrame(ws.NewTextFrame(payload))
		for _, w := range writers {
			w.frames <- frame
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	errs := make(chan error, 2)
	go func() { errs <- http.ListenAndServe(admin, mux) }()
	go func() { errs <- accept(ln, writers) }()
	return <-errs
}

// accept deals the connections out to the writers.
func accept(ln net.Listener, writers []*writer) error {
	for n := 0; ; n++ {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		w := writers[n%len(writers)]
		go func() {
			defer conn.Close()
			if _, err := ws.Upgrade(conn); err != nil {
				return
			}
			if fd, err := bare(conn.(*net.TCPConn)); err == nil {
				w.add(fd)
			}
		}()
	}
}
