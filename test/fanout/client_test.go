//go:build linux

package fanout

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// word is what a node says about a channel.
type word struct {
	Subscribed string `json:"subscribed"`
	Position   string `json:"position"`
	Recovered  bool   `json:"recovered"`
	Error      string `json:"error"`
}

// header is the first line of a message.
type header struct {
	Channel  string `json:"channel"`
	Position string `json:"position"`
	Lost     int64  `json:"lost"`
}

func dial(t *testing.T, n *nodetest.Node, query string) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial(n.URL()+query, nil)
	require.NoError(t, err)
	resp.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func read(t *testing.T, conn *websocket.Conn) []byte {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, p, err := conn.ReadMessage()
	require.NoError(t, err)
	return p
}

func parseWord(p []byte) (w word, ok bool) {
	if bytes.Contains(p, []byte{'\n'}) {
		return w, false
	}
	return w, json.Unmarshal(p, &w) == nil
}

func nextWord(t *testing.T, conn *websocket.Conn) word {
	t.Helper()
	p := read(t, conn)
	w, ok := parseWord(p)
	require.True(t, ok, "%s", p)
	return w
}

func parseMessage(t *testing.T, p []byte) (h header, payload string) {
	t.Helper()
	line, rest, found := bytes.Cut(p, []byte{'\n'})
	require.True(t, found, "%s", p)
	require.NoError(t, json.Unmarshal(line, &h), "%s", p)
	return h, string(rest)
}

func nextMessage(t *testing.T, conn *websocket.Conn) (h header, payload string) {
	t.Helper()
	return parseMessage(t, read(t, conn))
}

// post publishes and returns the answer's status, its body and the position in it.
func post(t *testing.T, n *nodetest.Node, channel string, payload []byte) (status int, body, position string) {
	t.Helper()
	resp, err := n.HTTP.Post(n.PublishURL(url.QueryEscape(channel)), "application/octet-stream", bytes.NewReader(payload))
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b), resp.Header.Get("Wsfleet-Position")
}
