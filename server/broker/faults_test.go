package broker_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// proxy stands between a broker and its server, and can be told to misbehave.
type proxy struct {
	addr  netip.AddrPort
	delay atomic.Int64 // ns that each piece of an answer takes
	piece atomic.Int64 // bytes of an answer that come at once; 0 for what there is
	// garbage makes it answer by itself, with what no Redis says.
	garbage atomic.Bool
}

func newProxy(t *testing.T, server *redistest.Server) *proxy {
	p := &proxy{}
	p.addr = tcptest.Serve(t, func(client net.Conn) {
		if p.garbage.Load() {
			_, _ = io.WriteString(client, "*1\r\n:7\r\nHTTP/1.1 400 Bad Request\r\n\r\n")
			_, _ = io.Copy(io.Discard, client)
			return
		}
		upstream, err := net.Dial("tcp", server.Addr)
		if err != nil {
			return
		}
		defer upstream.Close()
		go func() {
			defer upstream.Close()
			_, _ = io.Copy(upstream, client)
		}()
		p.answer(client, upstream)
	})
	return p
}

// answer passes on what the server says.
func (p *proxy) answer(client, upstream net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		b := buffer
		if n := p.piece.Load(); n > 0 {
			b = buffer[:n]
		}
		n, err := upstream.Read(b)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(p.delay.Load()))
		if p.garbage.Load() {
			_, _ = io.WriteString(client, "\x00garbage\r\n$$$\r\n")
			return
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) rig() rig { return rig{url: "redis://" + p.addr.String() + "/0"} }

// shortly publishes with the patience that callers of the node have.
func shortly(t *testing.T, b broker.Broker, channel, payload string) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := b.Publish(ctx, channel, []byte(payload))
	return err
}

// awaitPublish returns once the broker publishes again; what it tried has the payload.
func awaitPublish(t *testing.T, b broker.Broker, in *inbox, channel, payload string) {
	t.Helper()
	require.Eventually(t, func() bool { return shortly(t, b, channel, payload) == nil }, patience, 10*time.Millisecond)
	in.await(channel, payload)
}

func TestGarbage(t *testing.T) {
	p := newProxy(t, redistest.Start(t))
	b := p.rig().broker(t, withHistory(100))
	in := run(t, b)
	subscribe(t, b, in, "a")
	p.garbage.Store(true)
	require.Error(t, shortly(t, b, "a", "x"), "its answer is garbage")
	require.Eventually(t, func() bool { return b.Ready() != nil }, patience, time.Millisecond)
	require.ErrorContains(t, b.Ready(), "does not speak Redis' protocol")
	require.ErrorContains(t, b.Ready(), p.addr.String())
	require.ErrorContains(t, shortly(t, b, "a", "y"), p.addr.String())
	p.garbage.Store(false)
	awaitReady(t, b)
	awaitPublish(t, b, in, "a", "after")
	require.Zero(t, b.Stats().Lost.Load())
}

func TestGarbageFromTheStart(t *testing.T) {
	p := newProxy(t, redistest.Start(t))
	p.garbage.Store(true)
	b := p.rig().broker(t, nil)
	require.ErrorContains(t, b.Run(t.Context(), newInbox(t)), p.addr.String())
}

// Answers come slowly and in pieces: everything goes on, later.
func TestSlowAnswers(t *testing.T) {
	p := newProxy(t, redistest.Start(t))
	b := p.rig().broker(t, withHistory(100))
	in := run(t, b)
	subscribe(t, b, in, "a")
	p.piece.Store(1000)
	p.delay.Store(int64(20 * time.Millisecond))
	large := strings.Repeat("x", 50000)
	publish(t, b, "a", large)
	for i := range 20 {
		publish(t, b, "a", strconv.Itoa(i))
	}
	in.await("a", "19")
	require.Len(t, in.of("a"), 21)
	require.Equal(t, large, in.payloads("a")[0])
	require.NoError(t, b.Ready())
	require.Zero(t, b.Stats().Reconnects.Load()+b.Stats().Duplicates.Load()+b.Stats().Lost.Load())
}

// The server is there, takes commands and doesn't answer.
func TestPausedServer(t *testing.T) {
	server := redistest.Start(t)
	b := rig{url: server.URL}.broker(t, withHistory(100))
	in := run(t, b)
	subscribe(t, b, in, "a")
	server.CLI(t, "CLIENT", "PAUSE", "20000", "ALL")
	err := shortly(t, b, "a", "during")
	require.ErrorContains(t, err, server.Addr)
	require.ErrorContains(t, err, "may have been published all the same")
	require.Eventually(t, func() bool { return b.Ready() != nil }, patience, 10*time.Millisecond)
	require.ErrorContains(t, b.Ready(), server.Addr)
	awaitReady(t, b)
	awaitPublish(t, b, in, "a", "after")
	require.Zero(t, in.lost("a"))
}

// The password changes with a restart: the broker says so, and goes on once it is right again.
func TestWrongPasswordAfterRestart(t *testing.T) {
	server := redistest.Start(t)
	b := rig{url: server.URL, password: ""}.broker(t, withHistory(100))
	in := run(t, b)
	subscribe(t, b, in, "a")
	server.CLI(t, "CONFIG", "SET", "requirepass", "another")
	server.CLI(t, "-a", "another", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "pubsub")
	server.CLI(t, "-a", "another", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	require.Eventually(t, func() bool { return b.Ready() != nil && strings.Contains(b.Ready().Error(), "NOAUTH") }, patience, time.Millisecond)
	require.ErrorContains(t, shortly(t, b, "a", "x"), "NOAUTH")
	server.CLI(t, "-a", "another", "--no-auth-warning", "CONFIG", "SET", "requirepass", "")
	awaitReady(t, b)
	awaitPublish(t, b, in, "a", "after")
}

// A key that holds something else spoils its own channel only.
func TestForeignKey(t *testing.T) {
	server := redistest.Start(t)
	server.CLI(t, "SET", "wsfleet:{taken}", "something else")
	b := rig{url: server.URL}.broker(t, withHistory(100))
	in := run(t, b)
	in.unknown.Store(true)
	b.Subscribe("taken")
	subscribe(t, b, in, "free")
	require.ErrorContains(t, shortly(t, b, "taken", "x"), "WRONGTYPE")
	server.CLI(t, "PUBLISH", "taken", "past wsfleet")
	in.await("taken", "past wsfleet")
	publish(t, b, "free", "x")
	in.await("free", "x")
	require.NoError(t, b.Ready())
}

// The library was flushed, and the keys with it, under a running broker.
func TestFlushedServer(t *testing.T) {
	server := redistest.Start(t)
	b := rig{url: server.URL}.broker(t, withHistory(100))
	in := run(t, b)
	since := subscribe(t, b, in, "a")
	publish(t, b, "a", "0")
	server.CLI(t, "FLUSHALL")
	server.CLI(t, "FUNCTION", "FLUSH")
	for i := range 10 {
		publish(t, b, "a", strconv.Itoa(i+1))
	}
	in.await("a", "10")
	require.Len(t, in.of("a"), 11)
	require.Zero(t, in.lost("a"), "the connection held")
	_, _, err := b.History(t.Context(), "a", since, position.Position{}, 10)
	require.ErrorIs(t, err, broker.ErrTooOld)
}
