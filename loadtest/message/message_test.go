package message

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const run = "0123456789abcdef"

func echo(t *testing.T, size int, reply string, requests ...string) *Echo {
	t.Helper()
	e, err := NewEcho(run, 7, size, requests, reply)
	require.NoError(t, err)
	return e
}

func TestEchoRequestsAreUniqueAndRepeatable(t *testing.T) {
	e := echo(t, 128, "Server received: {{.}}", "{{.}}")
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
	e := echo(t, MinEchoSize, "{{.}}", "{{.}}")
	require.Len(t, e.AppendRequest(nil, 1<<32, 1<<16), MinEchoSize)
}

func TestWrongRepliesAreToldFromForeignMessages(t *testing.T) {
	for _, reply := range []string{"Server received: {{.}}", "{{.}}", "<{{.}}>"} {
		e := echo(t, 128, reply, "{{.}}")
		want := e.AppendReply(nil, 5, 0)
		damaged := append([]byte(nil), want...)
		damaged[1] ^= 1
		require.True(t, e.Resembles(damaged, want), reply)
		require.True(t, e.Resembles(want[:len(want)-3], want), reply)
		require.True(t, e.Resembles(e.AppendReply(nil, 6, 0), want), reply)
		require.False(t, e.Resembles([]byte("hello"), want), reply)
	}
	other, err := NewEcho("fedcba9876543210", 7, 128, []string{"{{.}}"}, "{{.}}")
	require.NoError(t, err)
	require.False(t, other.Mentions(echo(t, 128, "{{.}}", "{{.}}").AppendRequest(nil, 1, 1)))
}

func TestMessagesAreTakenInTurn(t *testing.T) {
	e := echo(t, 200, "> {{.}} <", `{"say":"{{.}}"}`, "ping", "{{.}}!")
	first := string(e.AppendRequest(nil, 3, 0))
	require.Len(t, first, 200)
	require.Regexp(t, `^\{"say":"wsload echo `+run+` 3 0 [-\w]+"\}$`, first)
	require.Equal(t, "> "+first+" <", string(e.AppendReply(nil, 3, 0)))
	require.Equal(t, "ping", string(e.AppendRequest(nil, 3, 1)))
	require.Equal(t, "> ping <", string(e.AppendReply(nil, 4, 1)))
	require.Regexp(t, `^wsload echo `+run+` 5 2 [-\w]+!$`, string(e.AppendRequest(nil, 5, 2)))
	require.True(t, e.Mentions([]byte("> ping <")))
	require.False(t, e.Mentions([]byte("> pong <")))
}

func TestReplyWithWhatIsUniqueInTheMessage(t *testing.T) {
	e := echo(t, 128, "you said {{.Unique}}", `{"say":"{{.}}"}`)
	request, reply := string(e.AppendRequest(nil, 9, 2)), string(e.AppendReply(nil, 9, 2))
	require.Equal(t, `{"say":"`+strings.TrimPrefix(reply, "you said ")+`"}`, request)
	require.Contains(t, reply, "wsload echo "+run+" 9 2 ")
}

func TestMessageSizeGivesWayToTheTemplate(t *testing.T) {
	e := echo(t, 64, "{{.}}", strings.Repeat("x", 100)+"{{.}}")
	require.Len(t, e.AppendRequest(nil, 0, 0), 100+MinEchoSize)
}

func TestTemplatesThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		request, reply, want string
		inReply              bool
	}{
		{"{{.}}", "", `"": want the message once`, true},
		{"{{.}}", "Server received:", `"Server received:": want the message once`, true},
		{"{{.}}", "{{.}}{{.}}", `"{{.}}{{.}}": want the message once`, true},
		{"{{.}}", "{{.}}{{.Unique}}", "want the message once", true},
		{"{{.}} {{.}}", "{{.}}", `"{{.}} {{.}}": want the unique text at most once`, false},
		{"ping", "{{.Unique}}", `"ping": want the unique text once`, false},
	} {
		_, err := NewEcho(run, 1, 64, []string{c.request}, c.reply)
		require.ErrorContains(t, err, c.want)
		var template *TemplateError
		require.ErrorAs(t, err, &template)
		require.Equal(t, c.inReply, template.Reply, c.want)
	}
}

func TestBroadcastVerdicts(t *testing.T) {
	sent := time.Unix(1_700_000_000, 123_456_789)
	text := Broadcast{Run: run, Channel: "a b&c", Sequence: 4_000_000_000, Sent: sent}.Text(256)
	require.Len(t, text, 256)
	got, verdict := ParseBroadcast(text, run)
	require.Equal(t, Genuine, verdict)
	require.Equal(t, Received{[]byte("a+b%26c"), 4_000_000_000, sent.UnixNano()}, got)

	_, verdict = ParseBroadcast(text, "fedcba9876543210")
	require.Equal(t, Foreign, verdict)
	_, verdict = ParseBroadcast([]byte("hello"), run)
	require.Equal(t, NotBroadcast, verdict)
	_, verdict = ParseBroadcast(text[:20], run)
	require.Equal(t, Damaged, verdict)
	// No single changed byte goes unnoticed.
	for i := range text {
		text[i] ^= 0x04
		_, verdict = ParseBroadcast(text, run)
		require.Equal(t, Damaged, verdict, "byte %d", i)
		text[i] ^= 0x04
	}
}

func TestEchoesAreNoBroadcasts(t *testing.T) {
	for prefix := range 40 { // at one length of it the run's id is where a broadcast has it
		e := echo(t, 128, strings.Repeat("x", prefix)+"{{.}}", "{{.}}")
		_, verdict := ParseBroadcast(e.AppendReply(nil, 1, 0), run)
		require.Equal(t, NotBroadcast, verdict, prefix)
	}
}

func TestParsingABroadcastAllocatesNothing(t *testing.T) {
	text := Broadcast{Run: run, Channel: "broadcast", Sequence: 17, Sent: time.Now()}.Text(MinBroadcastSize)
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseBroadcast(text, run) }))
}
