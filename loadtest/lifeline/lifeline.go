// Package lifeline joins two hosts by a connection whose ends notice, in bounded
// time, that the other one is gone: its process, its host or the network between.
package lifeline

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// Beat is how often an end shows that it is alive: by a blank line, which
	// decoders of JSON lines skip.
	Beat = 3 * time.Second
	// Silence is after how long without a byte the other end counts as gone. A
	// host whose CPUs are all busy may miss a few beats.
	Silence = 15 * time.Second
	// writeTimeout is how long the other end may leave its window closed.
	writeTimeout = 10 * time.Second
)

var (
	// ErrEnded says that the other end closed the connection, or its process died.
	ErrEnded = errors.New("the connection ended")
	// ErrSilent says that nothing has come for Silence.
	ErrSilent = fmt.Errorf("no sign of life for %s", Silence)
	// ErrTooLong is of a line beyond the limit of ReadLine.
	ErrTooLong = errors.New("line too long")
)

// Conn is one end. Reading is for one goroutine at a time, the rest for any.
type Conn struct {
	conn    net.Conn
	in      *bufio.Reader
	closing chan struct{}
	close   sync.Once

	mu sync.Mutex // guards writing: lines stay whole
}

// New makes conn one end, and begins to show that it is alive.
func New(conn net.Conn) *Conn {
	c := &Conn{conn: conn, closing: make(chan struct{})}
	c.in = bufio.NewReader(attentive{conn})
	go c.beat()
	return c
}

func (c *Conn) beat() {
	tick := time.NewTicker(Beat)
	defer tick.Stop()
	for {
		select {
		case <-c.closing:
			return
		case <-tick.C:
			if _, err := c.Write([]byte{'\n'}); err != nil {
				c.Close() // which the reader notices
				return
			}
		}
	}
}

// attentive is a connection that is read with a limit to its silence.
type attentive struct{ net.Conn }

func (a attentive) Read(p []byte) (int, error) {
	_ = a.SetReadDeadline(time.Now().Add(Silence)) // fails on a closed connection, as Read does
	n, err := a.Conn.Read(p)
	switch {
	case n > 0 || err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, ErrSilent
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return 0, ErrEnded
	}
	return 0, Reason(err)
}

// Read reads what the other end sends, its beats included. It fails with ErrEnded,
// ErrSilent or the connection's own error, never with io.EOF.
func (c *Conn) Read(p []byte) (int, error) { return c.in.Read(p) }

// ReadLine returns the next line that is not blank, without its end, of at most
// limit bytes. Reads go on behind it.
func (c *Conn) ReadLine(limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := c.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > limit:
			return nil, ErrTooLong
		case err != nil:
			continue // the rest is yet to come
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// Write sends p, which is to be whole lines. Another end that does not take them
// in 10 seconds is an error.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails on a closed connection, as Write does
	n, err := c.conn.Write(p)
	if err != nil {
		err = Reason(err)
	}
	return n, err
}

// Close ends the connection; whoever reads or writes fails with it.
func (c *Conn) Close() error {
	err := net.ErrClosed
	c.close.Do(func() {
		close(c.closing)
		err = c.conn.Close()
	})
	return err
}

// RemoteAddr is the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Reason strips err of the addresses and calls that package net puts before the
// reason: who reports it names the other end anyway.
func Reason(err error) error {
	var call *os.SyscallError
	var op *net.OpError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
