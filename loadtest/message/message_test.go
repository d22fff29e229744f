package message

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const run = "0123456789abcdef"

func echo(t *testing.T, reply string) Echo {
	t.Helper()
	template, err := ParseTemplate(reply)
	require.NoError(t, err)
	return Echo{Run: run, Seed: 7, Size: 128, Reply: template}
}

func TestEchoRequestsAreUniqueAndRepeatable(t *testing.T) {
	e := echo(t, "Server received: {{.}}")
	seen := map[string]bool{}
	for connection := range uint64(1000) {
		for n := range uint64(2) {
			p := e.AppendRequest(nil, connection, n)
			require.Len(t, p, 128)
			require.Equal(t, p, e.AppendRequest(nil, connection, n))
			// The padding alone must tell requests apart too.
			require.False(t, seen[string(p[60:])], "connection %d, request %d", connection, n)
			seen[string(p[60:])] = true
		}
	}
	require.Equal(t, "Server received: "+string(e.AppendRequest(nil, 3, 1)), string(e.AppendReply(nil, 3, 1)))
	longest := e.AppendRequest(nil, 1<<32, 1<<16)
	require.Less(t, len(longest)-len("x"), 128)
}

func TestMinEchoSizeHoldsTheHead(t *testing.T) {
	e := echo(t, "{{.}}")
	e.Size = MinEchoSize
	require.Len(t, e.AppendRequest(nil, 1<<32, 1<<16), MinEchoSize)
}

func TestWrongRepliesAreToldFromForeignMessages(t *testing.T) {
	for _, reply := range []string{"Server received: {{.}}", "{{.}}", "<{{.}}>"} {
		e := echo(t, reply)
		want := e.AppendReply(nil, 5, 0)
		damaged := append([]byte(nil), want...)
		damaged[1] ^= 1
		require.True(t, e.Resembles(damaged, want), reply)
		require.True(t, e.Resembles(want[:len(want)-3], want), reply)
		require.True(t, e.Resembles(e.AppendReply(nil, 6, 0), want), reply)
		require.False(t, e.Resembles([]byte("hello"), want), reply)
	}
	require.False(t, (&Echo{Run: "fedcba9876543210"}).Mentions(new(Echo).AppendRequest(nil, 1, 1)))
}

func TestTemplates(t *testing.T) {
	for _, bad := range []string{"", "Server received:", "{{.}}{{.}}"} {
		_, err := ParseTemplate(bad)
		require.Error(t, err, bad)
	}
}

func TestBroadcastVerdicts(t *testing.T) {
	sent := time.Unix(1_700_000_000, 123_456_789)
	text := Broadcast{Run: run, Channel: "a b&c", Sequence: 4_000_000_000, Sent: sent}.Text(256)
	require.Len(t, text, 256)
	got, verdict := ParseBroadcast(text, run)
	require.Equal(t, Genuine, verdict)
	require.Equal(t, Received{4_000_000_000, sent.UnixNano()}, got)

	_, verdict = ParseBroadcast(text, "fedcba9876543210")
	require.Equal(t, Foreign, verdict)
	_, verdict = ParseBroadcast([]byte("hello"), run)
	require.Equal(t, NotBroadcast, verdict)
	_, verdict = ParseBroadcast(text[:20], run)
	require.Equal(t, Damaged, verdict)
	// No single changed byte behind the prefix passes as genuine or foreign.
	for i := len(broadcastPrefix); i < len(text); i++ {
		text[i] ^= 0x04
		_, verdict = ParseBroadcast(text, run)
		require.Equal(t, Damaged, verdict, "byte %d", i)
		text[i] ^= 0x04
	}
}

func TestParsingABroadcastAllocatesNothing(t *testing.T) {
	text := Broadcast{Run: run, Channel: "broadcast", Sequence: 17, Sent: time.Now()}.Text(MinBroadcastSize)
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseBroadcast(text, run) }))
}
