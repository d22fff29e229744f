// Package relay passes TCP connections on to one address. Through it a host without a way out reaches the AWS API.
package relay

import (
	"io"
	"net"
	"sync"
)

// Serve passes every connection of the listener on to the target until the listener is closed, and then closes them all.
func Serve(l net.Listener, target string) error {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex // guards the following
		open   = map[net.Conn]bool{}
		closed bool
	)
	track := func(c net.Conn, on bool) {
		mu.Lock()
		defer mu.Unlock()
		if on && !closed {
			open[c] = true
		} else {
			delete(open, c)
			c.Close()
		}
	}
	defer wg.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		closed = true // a connection that is just being made ends as well
		for c := range open {
			c.Close()
		}
	}()
	for {
		in, err := l.Accept()
		if err != nil {
			return err
		}
		track(in, true)
		wg.Go(func() {
			defer track(in, false)
			out, err := net.Dial("tcp", target)
			if err != nil {
				return // the caller sees its connection closed, as it would from the API itself
			}
			track(out, true)
			defer track(out, false)
			pipe(in, out)
		})
	}
}

// pipe copies both ways until both are at their end.
func pipe(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		copyHalf(a, b)
		close(done)
	}()
	copyHalf(b, a)
	<-done
}

// copyHalf copies one way and passes the end on.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error ends the connection, there is no one to tell
	if t, ok := to.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite()
	}
}
