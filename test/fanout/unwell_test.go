//go:build linux

package fanout

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
)

// A Redis that is there and unwell: clients that have nothing to do with it notice nothing,
// and what was acknowledged arrives once it is well again.

func TestRedisPauses(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	pause := size(30*time.Second, 2*time.Second)
	s := stream{order: 40, name: "CLIENT PAUSE for 30 s", nodes: startNodes(t, redis.URL, history...), settle: size(15*time.Second, 4*time.Second)}
	o := s.run(t, pause, func() {
		redis.CLI(t, "CLIENT", "PAUSE", milliseconds(pause), "ALL")
		time.Sleep(pause)
	})
	o.requireEverything(t)
}

func TestRedisIsSlow(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Addr)
	slow := size(10*time.Second, 2*time.Second)
	s := stream{order: 41, name: "Redis answers 500 ms late", nodes: startNodes(t, p.url, history...), settle: 4 * time.Second}
	o := s.run(t, slow, func() {
		p.delay.Store(int64(500 * time.Millisecond))
		time.Sleep(slow)
		p.delay.Store(0)
	})
	o.requireEverything(t)
	require.Zero(t, o.Broadcast.PublishFailed, "slow is not away")
}

func TestRedisTalksNonsense(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startProxy(t, redis.Addr)
	long := size(10*time.Second, 2*time.Second)
	s := stream{order: 42, name: "Redis sends garbage for 10 s", nodes: startNodes(t, p.url, history...), settle: settle()}
	o := s.run(t, long, func() {
		p.garbage.Store(true)
		time.Sleep(long)
		p.garbage.Store(false)
	})
	o.requireEverything(t)
	require.Positive(t, o.Broadcast.PublishFailed, "it talked nonsense")
	o.requireSaid(t, "redis "+strings.TrimSuffix(strings.TrimPrefix(p.url, "redis://"), "/0"), "does not speak Redis' protocol")
}

// The password is changed under the nodes, and changed back.
func TestPasswordIsWrong(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	long := size(10*time.Second, 2*time.Second)
	s := stream{order: 43, name: "password wrong for 10 s", nodes: startNodes(t, redis.URL, history...), settle: settle()}
	o := s.run(t, long, func() {
		redis.CLI(t, "CONFIG", "SET", "requirepass", "other")
		for _, kind := range []string{"pubsub", "normal"} {
			redis.CLI(t, "-a", "other", "--no-auth-warning", "CLIENT", "KILL", "TYPE", kind)
		}
		time.Sleep(long)
		redis.CLI(t, "-a", "other", "--no-auth-warning", "CONFIG", "SET", "requirepass", "")
	})
	o.requireEverything(t)
	require.Positive(t, o.Broadcast.PublishFailed, "nobody may publish")
	o.requireSaid(t, "redis "+redis.Addr, "NOAUTH")
}
