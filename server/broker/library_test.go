package broker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

func TestOffsetsCountEachChannel(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	first := l.publish("a", "x")
	require.EqualValues(t, 1, first.Offset)
	for i := range 50 {
		require.Equal(t, position.Position{Epoch: first.Epoch, Offset: uint64(i) + 2}, l.publish("a", "y"))
	}
	other := l.publish("b", "x")
	require.EqualValues(t, 1, other.Offset)
	require.NotEqual(t, first.Epoch, other.Epoch)
}

func TestSubscribersGetTheHeader(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	for name, bounds := range map[string][]any{"history": {10, 0}, "anchor only": {0, 0}} {
		sub := l.Subscribe(t.Context(), name)
		defer sub.Close()
		_, err := sub.Receive(t.Context())
		require.NoError(t, err)
		p := l.publish(name, "pay\nload \x00\xff", bounds...)
		m, err := sub.ReceiveMessage(t.Context())
		require.NoError(t, err)
		h, payload, known, err := parseWire([]byte(m.Payload))
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, "pay\nload \x00\xff", string(payload))
		require.Equal(t, header{Position: p, start: 1}, h)
	}
}

func TestPublishByRedisCLI(t *testing.T) {
	server := redistest.Start(t)
	l := newLua(t, server)
	got, err := position.Parse(server.CLI(t, "FCALL", "wsfleet_publish", "1", "wsfleet:{news}", "news", "hello"))
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Offset)
	require.Equal(t, "hello", l.history("news", position.Position{Epoch: got.Epoch}).payloads())

	// Who says nothing about history leaves that of the others as it is.
	l.publishMany("kept", 1, 5, 3, 0)
	server.CLI(t, "FCALL", "wsfleet_publish", "1", "wsfleet:{kept}", "kept", "6")
	require.EqualValues(t, 3, l.XLen(t.Context(), historyKey("kept")).Val())

	for _, bad := range [][]string{
		{"wsfleet:{other}", "news", "x"},
		{"wsfleet:{news}", "news"},
		{"wsfleet:{news}"},
	} {
		out := server.CLI(t, append([]string{"FCALL", "wsfleet_publish", "1"}, bad...)...)
		require.Contains(t, out, "ERR wsfleet_publish", bad)
	}
}

func TestRestartWithPersistence(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes")
	l := newLua(t, server)
	since := l.publishMany("a", 1, 5)
	for range 3 {
		server.Kill()
		server.Restart(t)
		require.Eventually(t, func() bool { return l.Ping(t.Context()).Err() == nil }, 20*time.Second, time.Millisecond)
	}
	require.Equal(t, since, l.anchor("a").Position)
	after := l.publishMany("a", 6, 8)
	require.EqualValues(t, 8, after.Offset)
	require.NotEqual(t, since.Epoch, after.Epoch)
	require.Equal(t, header{Position: after, start: 6, previous: since.Epoch, past: []term{{since.Epoch, 1}}}, l.anchor("a"))

	for _, offset := range []uint64{0, 3, 5} {
		from := position.Position{Epoch: since.Epoch, Offset: offset}
		p := l.history("a", from)
		requireChain(t, from, p)
		require.Len(t, p.messages, 8-int(offset))
	}
}

func TestRestartWithoutPersistence(t *testing.T) {
	server := redistest.Start(t)
	l := newLua(t, server)
	before := l.publishMany("a", 1, 5)
	server.Kill()
	server.Restart(t)
	require.Eventually(t, func() bool { return l.Ping(t.Context()).Err() == nil }, 20*time.Second, time.Millisecond)
	l.load()
	require.True(t, l.history("a", before).old)
	after := l.publishMany("a", 1, 5)
	require.EqualValues(t, 5, after.Offset)
	require.NotEqual(t, before.Epoch, after.Epoch)
	p := l.history("a", before)
	require.True(t, p.old)
	require.Equal(t, "1 2 3 4 5", p.payloads())
	require.False(t, p.messages[0].follows(before))
	require.EqualValues(t, LostUnknown, p.messages[0].missing(before))
}

// A replica takes over that never saw the end: the offsets that it gives out again are in
// another epoch, also when the old server comes back and takes over in its turn.
func TestFailoverReusesNoPosition(t *testing.T) {
	one, two := redistest.Start(t), redistest.Start(t)
	a, b := newLua(t, one), newLua(t, two)
	follow := func(replica lua, master *redistest.Server) {
		host, port, _ := strings.Cut(master.Addr, ":")
		require.NoError(t, replica.ReplicaOf(t.Context(), host, port).Err())
		require.Eventually(t, func() bool {
			return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
		}, 20*time.Second, time.Millisecond)
	}
	promote := func(l lua) { require.NoError(t, l.ReplicaOf(t.Context(), "no", "one").Err()) }

	follow(b, one)
	seen := a.publishMany("c", 1, 5)
	require.Eventually(t, func() bool { return b.XLen(t.Context(), historyKey("c")).Val() == 5 }, 20*time.Second, time.Millisecond)
	promote(b)
	lost := a.publishMany("c", 6, 9)
	second := b.publishMany("c", 60, 61)
	require.EqualValues(t, 7, second.Offset)
	require.NotEqual(t, lost.Epoch, second.Epoch)

	p := b.history("c", seen)
	requireChain(t, seen, p)
	require.Equal(t, "60 61", p.payloads())
	p = b.history("c", lost) // who has what b never saw misses nothing of b's
	requireChain(t, lost, p)
	require.Equal(t, "60 61", p.payloads())

	follow(a, two)
	promote(a)
	third := a.publishMany("c", 70, 71)
	require.EqualValues(t, 9, third.Offset)
	require.NotEqual(t, lost, third)
	require.NotContains(t, []string{lost.Epoch, second.Epoch}, third.Epoch)
	for _, since := range []position.Position{seen, lost} {
		p = a.history("c", since)
		requireChain(t, since, p)
		require.Equal(t, "60 61 70 71", p.payloads())
	}
	p = a.history("c", second)
	requireChain(t, second, p)
	require.Equal(t, "70 71", p.payloads())
}

func TestForgottenChannelBeginsAnew(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	for name, forget := range map[string]func() error{
		"flushed":   func() error { return l.FlushAll(t.Context()).Err() },
		"expired":   func() error { return l.PExpire(t.Context(), historyKey("expired"), time.Millisecond).Err() },
		"deleted":   func() error { return l.Del(t.Context(), historyKey("deleted")).Err() },
		"functions": func() error { return l.FunctionFlush(t.Context()).Err() },
	} {
		before := l.publishMany(name, 1, 5)
		require.NoError(t, forget())
		l.load()
		if name == "functions" {
			after := l.publish(name, "6")
			require.EqualValues(t, 6, after.Offset)
			requireChain(t, before, l.history(name, before))
			continue
		}
		require.Eventually(t, func() bool { return l.Exists(t.Context(), historyKey(name)).Val() == 0 }, 20*time.Second, time.Millisecond)
		after := l.publishMany(name, 1, 6)
		require.EqualValues(t, 6, after.Offset)
		require.NotEqual(t, before.Epoch, after.Epoch, name)
		require.True(t, l.history(name, before).old, name)
	}
}

func TestHistoryIsTrimmedByLength(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	last := l.publishMany("a", 1, 500, 20, 0)
	require.EqualValues(t, 20, l.XLen(t.Context(), historyKey("a")).Val())
	require.EqualValues(t, -1, l.TTL(t.Context(), historyKey("a")).Val(), "no bound of age: kept for ever")
	since := position.Position{Epoch: last.Epoch, Offset: 480}
	requireChain(t, since, l.history("a", since))
	since.Offset = 479
	p := l.history("a", since)
	require.True(t, p.old)
	require.Len(t, p.messages, 20)
	require.EqualValues(t, 1, p.messages[0].missing(since))
}

func TestHistoryIsTrimmedByAge(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	const age = 50
	old := l.publishMany("a", 1, 100, 1000, age)
	time.Sleep(2 * age * time.Millisecond)
	h := redisHistory{client: l.Client, bounds: History{Age: age * time.Millisecond}}
	p, err := h.read(t.Context(), "a", position.Position{Epoch: old.Epoch, Offset: 99}, 100)
	require.NoError(t, err)
	require.True(t, p.old, "older than what is served")
	require.Empty(t, p.messages)
	require.Equal(t, old, p.anchor.Position, "the anchor stays")
	p, err = h.read(t.Context(), "a", old, 100)
	require.NoError(t, err)
	require.False(t, p.old, "nothing came after it")

	last := l.publishMany("a", 101, 200, 1000, age)
	require.EqualValues(t, 200, last.Offset)
	require.Less(t, l.XLen(t.Context(), historyKey("a")).Val(), int64(120), "old entries go as new ones come")
	ttl := l.PTTL(t.Context(), historyKey("a")).Val()
	require.Greater(t, ttl, linger-time.Minute)
	require.LessOrEqual(t, ttl, linger+age*time.Millisecond)
}

func TestWithoutHistoryOnlyTheAnchorIsKept(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	last := l.publishMany("a", 1, 100, 0, 0)
	entries := l.XRange(t.Context(), historyKey("a"), "-", "+").Val()
	require.Len(t, entries, 1)
	require.NotContains(t, entries[0].Values, "p")
	require.Equal(t, last, l.anchor("a").Position)
	require.Positive(t, l.TTL(t.Context(), historyKey("a")).Val())
	require.False(t, l.history("a", last).old)
	before := position.Position{Epoch: last.Epoch, Offset: 99}
	p := l.history("a", before)
	require.True(t, p.old)
	require.EqualValues(t, 0, p.anchor.missing(before))

	l.publish("a", "101") // history is turned on
	require.True(t, l.history("a", before).old)
	require.Equal(t, "101", l.history("a", last).payloads())
}

func TestAnchorOfANewChannelIsAPosition(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	base := l.anchor("new")
	require.NotEmpty(t, base.Epoch)
	require.Zero(t, base.Offset)
	require.Equal(t, base, l.anchor("new"))
	require.Positive(t, l.TTL(t.Context(), historyKey("new")).Val())
	l.publishMany("new", 1, 3)
	p := l.history("new", base.Position)
	requireChain(t, base.Position, p)
	require.Equal(t, "1 2 3", p.payloads())
}

func TestRepeatsAreIgnoredByTheirID(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	sub := l.Subscribe(t.Context(), "a")
	defer sub.Close()
	_, err := sub.Receive(t.Context())
	require.NoError(t, err)
	send := func(id, payload string) position.Position {
		p, err := published(l.FCall(t.Context(), "wsfleet_publish", []string{historyKey("a"), historyKey("a") + ":" + id}, "a", payload, 100, 0, 0, 60000))
		require.NoError(t, err)
		return p
	}
	first := send("one", "1")
	second := send("two", "2")
	require.Equal(t, first, send("one", "1"))
	require.Equal(t, second, send("two", "2"))
	send("three", "3")
	require.EqualValues(t, 3, l.XLen(t.Context(), historyKey("a")).Val())
	var got []string
	for range 3 {
		m, err := sub.ReceiveMessage(t.Context())
		require.NoError(t, err)
		got = append(got, m.Payload[len(m.Payload)-1:])
	}
	require.Equal(t, []string{"1", "2", "3"}, got)
}

func TestHistoryComesInPages(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	l.publishMany("a", 1, 3) // what is read next goes over the end of an epoch
	base := l.anchor("a").Position
	require.NoError(t, l.FunctionFlush(t.Context()).Err())
	l.load()
	l.publishMany("a", 4, 100)
	h := redisHistory{client: l.Client}
	var got []string
	since, pages := position.Position{Epoch: base.Epoch}, 0
	for more := true; more; pages++ {
		p, err := h.read(t.Context(), "a", since, 7)
		require.NoError(t, err)
		requireChain(t, since, p)
		got = append(got, strings.Fields(p.payloads())...)
		since, more = p.messages[len(p.messages)-1].Position, p.more
	}
	require.Equal(t, 15, pages)
	require.Len(t, got, 100)
	require.True(t, slices.IsSortedFunc(got, func(x, y string) int { return len(x) - len(y) }))

	large := strings.Repeat("x", 300<<10)
	for range 10 {
		l.publish("large", large)
	}
	p := l.history("large", position.Position{Epoch: l.anchor("large").Epoch})
	require.True(t, p.more)
	require.Len(t, p.messages, 4, "a page is bounded in bytes too")
}

func TestUnknownPositionsAreTooOld(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	require.True(t, l.history("nothing", position.Position{Epoch: "e", Offset: 5}).old)
	last := l.publishMany("a", 1, 10)
	for _, since := range []position.Position{
		{Epoch: "elsewhere"},
		{Epoch: "elsewhere", Offset: 5},
		{Epoch: "elsewhere", Offset: 10},
		{Epoch: "elsewhere", Offset: 1<<64 - 1},
	} {
		require.True(t, l.history("a", since).old, since)
	}
	// The future of an epoch that is known: the server forgot what came after.
	p := l.history("a", position.Position{Epoch: last.Epoch, Offset: 1<<64 - 1})
	require.False(t, p.old)
	require.Empty(t, p.messages)
}

func TestKeysAreThoseOfTheLibrary(t *testing.T) {
	l := newLua(t, redistest.Start(t))
	keys := make(map[string]string)
	for _, channel := range []string{"a", "{a}", "x{a}y", "{}", "{}{a}", "a}b", "{", "}", "{a", "a b", "ü", "{{a}}", "%d", strings.Repeat("x", 1024)} {
		l.publish(channel, "x")
		key := historyKey(channel)
		require.Empty(t, keys[key], "%q and %q share a key", channel, keys[key])
		keys[key] = channel
	}
}

func TestSlots(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes")
	for _, channel := range []string{"a", "{a}", "x{a}y", "{a", "a b", "{{a}}", "{}", "{}{a}", "a}b", "}", "a{}b"} {
		same := server.CLI(t, "CLUSTER", "KEYSLOT", channel) == server.CLI(t, "CLUSTER", "KEYSLOT", historyKey(channel))
		require.Equal(t, same, slotMismatch(channel) == nil, channel)
	}
}
