//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
)

func numbers(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

// onEachBroker runs a test over memory and over a Redis of its own.
func onEachBroker(t *testing.T, test func(t *testing.T, brokerURL string)) {
	t.Run("memory", func(t *testing.T) { test(t, "memory") })
	t.Run("redis", func(t *testing.T) { test(t, redistest.Start(t).URL) })
}

// Who comes back gets what it missed, in order, each once, then what follows.
func TestResume(t *testing.T) { onEachBroker(t, resume) }

func resume(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL, "-history-length", "500")
	l := n.listen("channel=a&since=")
	for _, s := range l.joined("broadcast", "a") {
		require.True(t, s.Recovered)
		require.NotEmpty(t, s.Position)
	}
	require.Equal(t, n.publish("a", "0"), func() string { l.expect("a", "0"); return l.at["a"] }())
	l.Close()
	n.publish("a", numbers(1, 400)...)
	n.publish("broadcast", "to all")

	back := n.listen(l.query("broadcast", "a"))
	n.publish("a", numbers(400, 410)...)
	var got []string
	for len(got) < 409+1 {
		switch s := back.next(); {
		case s.joined.Channel != "":
			require.True(t, s.joined.Recovered, s.joined.Reason)
			require.Equal(t, l.at[s.joined.Channel], s.joined.Position)
		case s.header.Channel == "broadcast":
			require.Equal(t, "to all", s.payload)
			got = append(got, s.payload)
		default:
			require.Zero(t, s.header.Lost)
			got = append(got, s.payload)
		}
	}
	require.ElementsMatch(t, append(numbers(1, 410), "to all"), got)
	require.Equal(t, n.publish("a", "last"), func() string { back.expect("a", "last"); return back.at["a"] }())
}

// A gap too old is told, with the place from which it goes on.
func TestResumeTooOld(t *testing.T) { onEachBroker(t, tooOld) }

func tooOld(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL, "-history-length", "10")
	l := n.listen("channel=a&since=")
	l.joined("broadcast", "a")
	n.publish("a", "0")
	l.expect("a", "0")
	l.Close()
	newest := n.publish("a", numbers(1, 20)...)
	for _, since := range []string{l.at["a"], "unheard-of:3"} {
		back := n.listen(url.Values{"channel": {"a"}, "since": {since}}.Encode())
		s := back.joined("broadcast", "a")["a"]
		require.False(t, s.Recovered)
		require.Contains(t, s.Reason, "history does not reach back so far")
		require.Equal(t, newest, s.Position)
		newest = n.publish("a", "next")
		back.expect("a", "next")
	}
	require.EqualValues(t, 2, n.metric(`wsnode_resumes_total{from="too_old"}`))
}

// Without history there is nothing to resume from, but who missed nothing is told so.
func TestResumeWithoutHistory(t *testing.T) { onEachBroker(t, withoutHistory) }

func withoutHistory(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL)
	l := n.listen("channel=a&since=")
	l.joined("broadcast", "a")
	n.publish("a", "0")
	l.expect("a", "0")
	require.True(t, n.listen(l.query("a")).joined("broadcast", "a")["a"].Recovered)
	before := l.query("a")
	n.publish("a", "1")
	l.expect("a", "1") // it has come: who joins now is too late for it
	require.False(t, n.listen(before).joined("broadcast", "a")["a"].Recovered)
}

// Plain connections see nothing of it.
func TestPlainBesideResumable(t *testing.T) {
	n := startNode(t, "-history-length", "10")
	plain, l := n.dial("?channel=a"), n.listen("channel=a&since=")
	l.joined("broadcast", "a")
	n.publish("a", "text", "\xff\x00binary")
	for want, kind := range map[string]int{"text": websocket.TextMessage} {
		got, p, err := plain.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, kind, got)
		require.Equal(t, want, string(p))
	}
	kind, p, err := plain.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, websocket.BinaryMessage, kind)
	require.Equal(t, "\xff\x00binary", string(p))
	l.expect("a", "text", "\xff\x00binary")
	// Commands are for those who asked with since; for all others they are messages.
	require.NoError(t, plain.WriteMessage(websocket.TextMessage, []byte(`{"subscribe":["b"]}`)))
	require.Equal(t, `Server received: {"subscribe":["b"]}`, receive(t, plain))
}

func TestCommands(t *testing.T) { onEachBroker(t, commands) }

func commands(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL, "-history-length", "100")
	l := n.listen("since=")
	l.joined("broadcast")
	b := n.publish("b", "1")
	n.publish("b", "2")
	l.say(`{"subscribe":["a room", {"channel":"b","since":"` + b + `"}]}`)
	got := l.joined("a room", "b")
	require.Equal(t, b, got["b"].Position)
	l.expect("b", "2")
	n.publish("a room", "hello")
	l.expect("a room", "hello")
	l.say("anything else")
	require.Equal(t, said{plain: true, payload: "Server received: anything else"}, l.next())

	l.say(`{"unsubscribe":["b"]}`)
	require.Equal(t, "b", l.next().left)
	n.publish("b", "3")
	n.publish("a room", "4")
	l.expect("a room", "4")

	long := strings.Repeat("x", 1024)
	for command, want := range map[string]string{
		`{"subscribe":["a room"]}`:                            "already subscribed",
		`{"unsubscribe":["b"]}`:                               "not subscribed",
		`{"subscribe":[""]}`:                                  "a channel's name has 1 to 256 bytes, not 0",
		`{"subscribe":["` + long + `"]}`:                      "a channel's name has 1 to 256 bytes, not 1024",
		`{"subscribe":[{"channel":"c","since":"yesterday"}]}`: `position "yesterday": want epoch:offset`,
		`{"subscribe":[{"channel":"c","from":"1"}]}`:          `unknown field "from"`,
		`{"subscribe":["c"`:                                   "unexpected EOF",
		`{"subscribe":["c"]} and more`:                        "text after its end",
		`{"subscribe":"c"}`:                                   "cannot unmarshal",
	} {
		l.say(command)
		require.Contains(t, l.next().failed, want, command)
	}
	n.publish("broadcast", "still here")
	l.expect("broadcast", "still here")
}

func TestBadSince(t *testing.T) {
	n := startNode(t)
	for query, want := range map[string]string{
		"since=yesterday":                      `position "yesterday": want epoch:offset`,
		"channel=a&since=x":                    `since of channel "a": position "x": want epoch:offset`,
		"channel=a&channel=b&since=e:1":        "1 since for 2 channels",
		"channel=a&since=e:1&since=e:2":        "2 since for 1 channels",
		"since=e:1&since=e:2":                  "2 since for 0 channels",
		"channel=&since=":                      "1 to 256 bytes, not 0",
		"channel=" + strings.Repeat("x", 1024): "1 to 256 bytes, not 1024",
		"channel=%ff":                          "UTF-8",
	} {
		c := n.dial("?" + query)
		for {
			_, _, err := c.ReadMessage()
			if err == nil {
				continue // the answer for broadcast
			}
			require.True(t, websocket.IsCloseError(err, websocket.ClosePolicyViolation), "%s: %v", query, err)
			require.ErrorContains(t, err, want)
			break
		}
	}
}

// One client with 10,000 channels hears each of them, and gets no more.
func TestTenThousandChannels(t *testing.T) { onEachBroker(t, tenThousandChannels) }

func tenThousandChannels(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL, "-history-length", "2")
	l := n.listen("since=")
	l.joined("broadcast")
	var names []string
	for i := range maxChannels - 1 {
		names = append(names, fmt.Sprintf("channel-%d", i))
	}
	ask := func(names []string) {
		b, err := json.Marshal(map[string][]string{"subscribe": names})
		require.NoError(t, err)
		l.say(string(b))
	}
	ask(names)
	for range names {
		require.True(t, l.next().joined.Recovered)
	}
	ask([]string{"one too many"})
	require.Equal(t, "at most 10000 channels are allowed", l.next().failed)
	for i := 0; i < len(names); i += 500 {
		n.publish(names[i], names[i])
		l.expect(names[i], names[i])
	}
	require.EqualValues(t, maxChannels, n.metric("wsnode_broker_subscriptions"))
	l.Close()
	require.Eventually(t, func() bool { return n.metric("wsnode_broker_subscriptions") == 1 }, waitFor, poll)

	back := n.listen("since=")
	back.joined("broadcast")
	b, err := json.Marshal(map[string][]subscriptionJSON{"subscribe": since(names, l.at)})
	require.NoError(t, err)
	n.publish(names[7], "missed")
	back.say(string(b))
	missed := 0
	for range len(names) + 1 {
		if s := back.next(); s.payload != "" {
			require.Equal(t, "missed", s.payload)
			missed++
		} else {
			require.True(t, s.joined.Recovered, s.joined.Reason)
		}
	}
	require.Equal(t, 1, missed)
}

type subscriptionJSON struct {
	Channel string `json:"channel"`
	Since   string `json:"since"`
}

func since(names []string, at map[string]string) (list []subscriptionJSON) {
	for _, name := range names {
		list = append(list, subscriptionJSON{name, at[name]})
	}
	return list
}

// A client that reads nothing for a while gets everything all the same, a plain one is
// closed.
func TestSlowResumableClientGetsEverything(t *testing.T) { onEachBroker(t, slowClient) }

func slowClient(t *testing.T, brokerURL string) {
	// A ping must not find the queue full of one message, either.
	n := startNode(t, "-broker", brokerURL, "-history-length", "100000", "-send-queue", "16384", "-heartbeat-interval", "100ms")
	slow, plain := n.listen("channel=a&since="), n.dial("?channel=a")
	slow.joined("broadcast", "a")
	body := strings.Repeat("x", 60_000)
	const messages = 400 // 24 MB: more than sockets hold
	for i := range messages {
		n.publish("a", fmt.Sprint(i, " ", body))
	}
	require.Eventually(t, func() bool { return n.metric(`wsnode_closed_total{reason="slow_consumer"}`) == 1 }, waitFor, poll)
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(time.Minute)))
	for i := range messages {
		slow.expect("a", fmt.Sprint(i, " ", body))
	}
	require.NotZero(t, n.metric("wsnode_resumes_slow_total"))
	require.NoError(t, plain.SetReadDeadline(time.Now().Add(waitFor)))
	for {
		if _, _, err := plain.ReadMessage(); err != nil {
			break
		}
	}
}

// Thousands of clients on a channel each (with both ends in this process, as many as its
// files allow): each hears its own and nobody else's.
func TestManyChannelsOfOneClientEach(t *testing.T) { onEachBroker(t, manyChannels) }

func manyChannels(t *testing.T, brokerURL string) {
	n := startNode(t, "-broker", brokerURL, "-heartbeat-interval", "0")
	const clients = 5000
	everyone := make([]*listener, clients)
	for i := range everyone {
		everyone[i] = n.listen(fmt.Sprintf("channel=room+%d&since=", i))
	}
	for i, l := range everyone {
		require.NoError(t, l.SetReadDeadline(time.Now().Add(time.Minute)))
		l.joined("broadcast", fmt.Sprint("room ", i))
	}
	require.EqualValues(t, clients+1, n.metric("wsnode_broker_subscriptions"))
	for i := range everyone {
		n.publish(fmt.Sprint("room ", i), fmt.Sprint(i))
	}
	n.publish("broadcast", "to all")
	for i, l := range everyone {
		require.NoError(t, l.SetReadDeadline(time.Now().Add(time.Minute)))
		if first := l.next(); first.header.Channel == "broadcast" { // channels have no order between them
			require.Equal(t, "to all", first.payload)
			l.expect(fmt.Sprint("room ", i), fmt.Sprint(i))
		} else {
			require.Equal(t, fmt.Sprint(i), first.payload)
			l.expect("broadcast", "to all")
		}
	}
}
