//go:build linux

package fanout

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// The path of the first version: what is published past the nodes reaches everybody.
func TestPublishedByRedisCLI(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	nodes := startNodes(t, redis.URL, history...)
	clients := size(300, 60)
	load := nodetest.StartLoad(t, "-a", fmt.Sprint(clients), "-echo=false", "-broadcasts", "50", "-broadcast-rate", "50", "-hold", "2s",
		"-publish", redis.URL+"?channel=broadcast", nodes[0].URL(), nodes[1].URL())
	load.Reach("hold")
	conn := dial(t, nodes[0], "")
	require.Equal(t, "2", redis.CLI(t, "PUBLISH", "broadcast", "hello"), "one subscription of each node")
	require.Equal(t, "hello", string(read(t, conn)))
	r := load.Wait()
	require.True(t, r.OK, "%+v", r.Expectations)
	require.EqualValues(t, 50*clients, r.Broadcast.Delivered)
	require.EqualValues(t, clients, r.Foreign, "hello, on each connection")
	record(t, row{order: 0, fault: "none: published by PUBLISH past the nodes", Report: r})
}

// Every client of 10,000 listens to a channel of its own.
func TestOneChannelForEachClient(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	nodes := startNodes(t, redis.URL, history...)
	n := size(10_000, 1000)
	r := nodetest.StartLoad(t, "-a", fmt.Sprint(n), "-c", "2000", "-echo=false", "-resume",
		"-broadcasts", fmt.Sprint(n), "-broadcast-rate", "1000", "-broadcast-channels", fmt.Sprint(n), "-timeout", "10s",
		"-publish", nodes[0].Admin+"/publish", "-expect", "generator.behind >= 0", nodes[0].URL(), nodes[1].URL()).Wait()
	record(t, row{order: 1, fault: fmt.Sprintf("none: %d clients, each on a channel of its own", n), Report: r})
	require.True(t, r.OK, "%+v %v", r.Expectations, r.Samples)
	require.EqualValues(t, n, r.Broadcast.Delivered)
}

// One client listens to 10,000 channels, which it asks for on the way, and goes on where it
// was on another connection, to another node.
func TestOneClientOfManyChannels(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	nodes := startNodes(t, redis.URL, history...)
	n := size(10_000, 1000)
	conn := dial(t, nodes[0], "?since=")
	require.Equal(t, "broadcast", nextWord(t, conn).Subscribed)
	n-- // that one counts
	names, at := make([]string, n), map[string]string{}
	for i := range names {
		names[i] = fmt.Sprintf("many-%d", i)
	}
	command := func(conn *websocket.Conn, channels any) {
		p, err := json.Marshal(map[string]any{"subscribe": channels})
		require.NoError(t, err)
		require.NoError(t, conn.WriteMessage(websocket.TextMessage, p))
	}
	const batch = 500 // channels in a command
	for i := 0; i < n; i += batch {
		command(conn, names[i:min(i+batch, n)])
	}
	for range names {
		w := nextWord(t, conn)
		require.Empty(t, w.Error)
		at[w.Subscribed] = w.Position
	}
	require.Len(t, at, n)
	publishAll := func(text string) {
		for _, name := range names {
			status, body, _ := post(t, nodes[1], name, []byte(text+" "+name))
			require.Equal(t, http.StatusNoContent, status, body)
		}
	}
	expectAll := func(conn *websocket.Conn, text string) {
		got := map[string]bool{}
		for len(got) < n {
			h, payload := nextMessage(t, conn)
			require.Equal(t, text+" "+h.Channel, payload)
			require.False(t, got[payload], "%s came twice", payload)
			got[payload] = true
			at[h.Channel] = h.Position
		}
	}
	publishAll("first")
	expectAll(conn, "first")
	require.NoError(t, conn.Close())

	publishAll("missed")
	conn = dial(t, nodes[1], "?since=")
	require.Equal(t, "broadcast", nextWord(t, conn).Subscribed)
	type since struct {
		Channel string `json:"channel"`
		Since   string `json:"since"`
	}
	for i := 0; i < n; i += batch {
		var asked []since
		for _, name := range names[i:min(i+batch, n)] {
			asked = append(asked, since{name, at[name]})
		}
		command(conn, asked)
	}
	recovered, got := 0, map[string]bool{}
	for recovered < n || len(got) < n {
		p := read(t, conn)
		if w, ok := parseWord(p); ok {
			require.True(t, w.Recovered, "%s", p)
			recovered++
			continue
		}
		h, payload := parseMessage(t, p)
		require.Equal(t, "missed "+h.Channel, payload)
		require.False(t, got[h.Channel], "%s came twice", payload)
		got[h.Channel] = true
	}
}

// A channel may have any name that is not empty or too long, and is then one like others.
func TestNamesOfChannels(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	nodes := startNodes(t, redis.URL, history...)
	for _, name := range []string{"with spaces in it", " ", "ünïcödé ☃", "{a}{b", "}{", "a\nb", "%00", strings.Repeat("x", maxName)} {
		conn := dial(t, nodes[0], "?since=&channel="+url.QueryEscape(name))
		asked := map[string]bool{nextWord(t, conn).Subscribed: true, nextWord(t, conn).Subscribed: true}
		require.Equal(t, map[string]bool{"broadcast": true, name: true}, asked)
		status, body, position := post(t, nodes[1], name, []byte("to "+name))
		require.Equal(t, http.StatusNoContent, status, "%q: %s", name, body)
		h, payload := nextMessage(t, conn)
		require.Equal(t, header{Channel: name, Position: position}, h)
		require.Equal(t, "to "+name, payload)
		require.NoError(t, conn.Close())
	}
	for _, name := range []string{"", strings.Repeat("x", maxName+1), strings.Repeat("x", 1<<10)} {
		status, body, _ := post(t, nodes[0], name, []byte("m"))
		require.Equal(t, http.StatusBadRequest, status, "%.20q: %s", name, body)
		require.NotEmpty(t, body)
		_, _, err := dial(t, nodes[0], "?channel="+url.QueryEscape(name)).ReadMessage()
		require.ErrorContains(t, err, fmt.Sprintf("close 1008 (policy violation): a channel's name has 1 to %d bytes, not %d", maxName, len(name)))
	}
}

// maxName is the longest name of a channel, in bytes.
const maxName = 256
