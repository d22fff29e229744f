package broker

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// writeTimeout bounds how long a command may take to be handed to the kernel.
	writeTimeout = 5 * time.Second
	readBuffer   = 64 << 10
)

// connection is one to a server, that subscribes. One goroutine reads; any may write.
type connection struct {
	net.Conn
	pushReader

	mu    sync.Mutex // orders writes, and guards the following
	pings []*event   // one for each ping that isn't answered yet: what its pong stands for, or nil
}

// dial connects and authenticates as opts say. It never waits longer than opts.DialTimeout
// for the server.
func dial(ctx context.Context, opts *redis.Options) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.DialTimeout)
	defer cancel()
	conn, err := opts.Dialer(ctx, opts.Network, opts.Addr)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, pushReader: pushReader{r: bufio.NewReaderSize(conn, readBuffer)}}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := c.greet(opts); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// greet authenticates and waits for the server's word that it serves us.
func (c *connection) greet(opts *redis.Options) error {
	var commands [][]string
	switch {
	case opts.Username != "" && opts.Password != "":
		commands = append(commands, []string{"AUTH", opts.Username, opts.Password})
	case opts.Password != "":
		commands = append(commands, []string{"AUTH", opts.Password})
	}
	for _, command := range append(commands, []string{"PING"}) {
		if err := c.send(command[0], command[1:]...); err != nil {
			return err
		}
		if _, err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

// send writes one command.
func (c *connection) send(command string, args ...string) error {
	b := fmt.Appendf(nil, "*%d\r\n$%d\r\n%s\r\n", 1+len(args), len(command), command)
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, "\r\n"...)
		b = append(b, a...)
		b = append(b, "\r\n"...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(b)
}

// ping asks for a sign of life, and for pong to return e when it comes.
func (c *connection) ping(e *event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings = append(c.pings, e)
	return c.writeLocked([]byte("*1\r\n$4\r\nPING\r\n"))
}

// pong takes the event of the oldest ping, nil if it has none.
func (c *connection) pong() *event {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pings) == 0 {
		return nil
	}
	e := c.pings[0]
	c.pings = c.pings[1:]
	return e
}

func (c *connection) writeLocked(b []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}
