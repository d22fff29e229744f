//go:build linux

package siege

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// crowdTimeout is generous: it ends a test that hangs, and measures nothing.
const crowdTimeout = 3 * time.Minute

// crowd is clients that this process keeps open for as many rounds of echoes as a
// test wants, which wsload does not: one event loop, no buffer per client.
type crowd struct {
	t       *testing.T
	target  netip.AddrPort
	loop    *netpoll.Loop
	members []*member

	open     atomic.Int64
	refusals chan refusal // of handshakes
	failures chan error   // whatever else went wrong with a client

	// The following are owned by the loop.
	payload []byte // of the echoes of this round
	todo    []func()
	busy    int // clients of the round that are not through
	done    chan struct{}
}

// refusal is the answer to a handshake that was not accepted.
type refusal struct {
	status     int
	retryAfter string
}

func newCrowd(t *testing.T, target string) *crowd {
	t.Helper()
	c := &crowd{t: t, target: netip.MustParseAddrPort(target), refusals: make(chan refusal, 1<<15), failures: make(chan error, 1<<15)}
	var err error
	c.loop, err = netpoll.New(netpoll.Config{})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.loop.Run()
	}()
	t.Cleanup(func() {
		c.leave()
		c.loop.Stop()
		<-ended
	})
	return c
}

// connect opens n more connections, at most window at a time, and returns when each is
// open, refused or failed.
func (c *crowd) connect(n, window int) {
	c.t.Helper()
	todo := make([]func(), n)
	for i := range todo {
		m := &member{crowd: c}
		c.members = append(c.members, m)
		// 19,000 from one address to one port is more than half of the ports.
		source := netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + len(c.members)%4)})
		todo[i] = func() { m.dial(source) }
	}
	c.round(todo, window, nil)
}

// echo lets every open connection send a message of that many bytes, window at a time,
// and returns when each has its reply.
func (c *crowd) echo(size, window int) {
	c.t.Helper()
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte('a' + i%23)
	}
	var todo []func()
	for _, m := range c.members {
		todo = append(todo, func() { m.ask() })
	}
	c.round(todo, window, payload)
	c.fine()
}

// fine requires that nothing went wrong so far but refusals.
func (c *crowd) fine() {
	c.t.Helper()
	select {
	case err := <-c.failures:
		require.NoError(c.t, err, "a client, and %d more", len(c.failures))
	default:
	}
}

// leave resets every connection.
func (c *crowd) leave() {
	gone := make(chan struct{})
	if c.loop.Post(func() {
		defer close(gone)
		for _, m := range c.members {
			if m.state == shaking || m.state == opened {
				m.state = left
				m.Abort(netpoll.ErrClosed)
			}
		}
	}) {
		<-gone
	}
	c.members = nil
	c.open.Store(0)
}

func (c *crowd) round(todo []func(), window int, payload []byte) {
	c.t.Helper()
	done := make(chan struct{})
	c.loop.Post(func() {
		c.todo, c.payload, c.done, c.busy = todo, payload, done, 1
		for range window {
			c.start()
		}
		c.through()
	})
	select {
	case <-done:
	case <-time.After(crowdTimeout):
		require.Fail(c.t, "a round of the crowd does not end")
	}
}

// start starts the next client of the round, through ends one.
func (c *crowd) start() {
	if len(c.todo) > 0 {
		next := c.todo[0]
		c.todo = c.todo[1:]
		c.busy++
		next()
	}
}

func (c *crowd) through() {
	c.busy--
	if c.busy == 0 && len(c.todo) == 0 {
		close(c.done)
		return
	}
	c.loop.Post(c.start) // not at once: a round of failures must not recurse
}

type memberState uint8

const (
	fresh memberState = iota
	shaking
	opened
	left
)

// member is one client of a crowd.
type member struct {
	netpoll.Conn
	crowd *crowd
	state memberState
	asked bool   // waits for a reply
	got   int    // bytes of it
	due   uint64 // bytes of a data frame that are still to come
	buf   []byte // the part that has come of an HTTP answer, a header or a control frame
}

const handshake = "GET / HTTP/1.1\r\nHost: siege\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

func (m *member) dial(source netip.Addr) {
	m.state = shaking
	if err := m.crowd.loop.Dial(&m.Conn, m, source, m.crowd.target); err != nil {
		m.ends(err)
	}
}

// OnOpen implements netpoll.Handler.
func (m *member) OnOpen() { _ = m.Write([]byte(handshake)) }

func (m *member) ask() {
	if m.state != opened {
		m.crowd.through()
		return
	}
	m.asked, m.got = true, 0
	m.send(frame.Text, m.crowd.payload)
}

func (m *member) send(op frame.Opcode, payload []byte) {
	_ = m.Write(frame.AppendMasked(nil, op, [4]byte{1, 2, 3, 4}, payload)) // OnClose tells of a failure
}

// OnTimer implements netpoll.Handler.
func (m *member) OnTimer() {}

// OnClose implements netpoll.Handler.
func (m *member) OnClose(err error) { m.ends(err) }

func (m *member) ends(err error) {
	was := m.state
	m.state, m.buf = left, nil
	switch was {
	case left:
	case opened:
		m.crowd.open.Add(-1)
		m.crowd.failures <- errors.New("lost: " + err.Error())
		if m.asked {
			m.crowd.through()
		}
	default:
		m.crowd.failures <- errors.New("handshake: " + err.Error())
		m.crowd.through()
	}
}
