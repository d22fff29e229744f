package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// silenceTimeout is how long the subscription may be silent before it is
	// asked for a sign of life; after a second silence it is given up.
	silenceTimeout = 5 * time.Second
	// backoffMin and backoffMax bound the wait before the next try to reach
	// Redis; half of it is random, so that a fleet does not return at once.
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
)

var (
	errNotSubscribed = errors.New("not yet subscribed")
	errSilent        = fmt.Errorf("no answer for %v", 2*silenceTimeout)
)

// connections numbers those of all links of the process.
var connections atomic.Uint64

// link keeps the channels of an interest subscribed at one server, and hands what comes to
// the intake. It outlasts the server: a link ends with its context only.
type link struct {
	server   *redis.Options        // how to reach it: Dialer, Network, Addr, Username, Password and DialTimeout count
	commands redis.UniversalClient // asks for the anchors
	interest *interest
	intake   *intake
	stats    *Stats
	// sharded subscribes with SSUBSCRIBE. revoked is then called with a slot that is not
	// the server's, or no longer, when all its messages have been read; it must not block.
	sharded bool
	revoked func(slot int)

	down atomic.Pointer[error] // nil while all channels that were wanted at the start of the connection are subscribed
}

func newLink(server *redis.Options, commands redis.UniversalClient, wanted *interest, in *intake, stats *Stats) *link {
	l := &link{server: server, commands: commands, interest: wanted, intake: in, stats: stats}
	l.setDown(errNotSubscribed)
	return l
}

// ready returns nil while messages flow, else why they don't.
func (l *link) ready() error {
	if err := l.down.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *link) setDown(err error) {
	err = fmt.Errorf("redis %s: %w", l.server.Addr, err)
	l.down.Store(&err)
}

// run holds a connection, and makes a new one when it fails, until ctx is done.
func (l *link) run(ctx context.Context) {
	backoff := backoffMin
	for {
		err := l.hold(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.ready() == nil {
			backoff = backoffMin
		}
		l.setDown(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff/2 + rand.N(backoff/2)):
		}
		backoff = min(2*backoff, backoffMax)
		l.stats.Reconnects.Add(1)
	}
}

// hold is the life of one connection.
func (l *link) hold(ctx context.Context) error {
	conn, err := dial(ctx, l.server)
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	f := &feed{link: l, conn: conn, id: connections.Add(1), fail: fail, acknowledged: make(chan struct{}, 1), sent: make(map[string]request)}
	// A read that waits heeds the connection, not the context.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	f.wg.Go(func() { f.subscribe(ctx) })
	f.wg.Go(func() { f.verify(ctx) })
	f.wg.Go(func() { f.watch(ctx) })
	fail(f.receive())
	f.wg.Wait()
	conn.Close()
	return context.Cause(ctx)
}
