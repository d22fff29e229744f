package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// lua calls the library of a server as anybody may.
type lua struct {
	*redis.Client
	t *testing.T
}

func newLua(t *testing.T, server *redistest.Server) lua {
	t.Helper()
	l := lua{redis.NewClient(&redis.Options{Addr: server.Addr}), t}
	t.Cleanup(func() { l.Close() })
	l.load()
	return l
}

func (l lua) load() {
	l.t.Helper()
	require.NoError(l.t, loadLibrary(l.t.Context(), l.Client))
}

// publish sends with a history of 100 messages, unless other bounds are given.
func (l lua) publish(channel, payload string, bounds ...any) position.Position {
	l.t.Helper()
	if len(bounds) == 0 {
		bounds = []any{100, 0}
	}
	p, err := published(l.FCall(l.t.Context(), "wsfleet_publish", []string{historyKey(channel)}, append([]any{channel, payload}, bounds...)...))
	require.NoError(l.t, err)
	return p
}

// publishMany sends the messages from, from+1, ... to and returns the last position.
func (l lua) publishMany(channel string, from, to int, bounds ...any) (p position.Position) {
	l.t.Helper()
	for i := from; i <= to; i++ {
		p = l.publish(channel, fmt.Sprint(i), bounds...)
	}
	return p
}

func (l lua) anchor(channel string) header {
	l.t.Helper()
	text, err := l.FCall(l.t.Context(), "wsfleet_anchor", []string{historyKey(channel)}).Text()
	require.NoError(l.t, err)
	h, err := parseAnchor(text)
	require.NoError(l.t, err)
	return h
}

func (l lua) history(channel string, since position.Position) page {
	l.t.Helper()
	h := redisHistory{client: l.Client}
	p, err := h.read(l.t.Context(), channel, since, 100)
	require.NoError(l.t, err)
	return p
}

func (p page) payloads() string {
	var all []string
	for _, m := range p.messages {
		all = append(all, string(m.payload))
	}
	return strings.Join(all, " ")
}

// requireChain checks that each message follows on the one before.
func requireChain(t *testing.T, since position.Position, p page) {
	t.Helper()
	require.False(t, p.old)
	for _, m := range p.messages {
		require.True(t, m.follows(since), "%+v after %v", m.header, since)
		since = m.Position
	}
}
