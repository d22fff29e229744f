//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// The example of the README: what it shows is this file, and it works.
func TestYourOwnHandler(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, code, ok := strings.Cut(string(example), "package main\n")
	require.True(t, ok)
	require.LessOrEqual(t, strings.Count(code, "\n"), 30, "lines of the example")
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```go\npackage main\n"+code+"```\n", "README.md shows server/example_test.go")

	n := startNode(t, "-handler", "people")
	first, second := n.dial(""), n.dial("")
	require.Equal(t, "you are number 1", receive(t, first))
	require.Equal(t, "you are number 2", receive(t, second))
	require.NoError(t, first.WriteMessage(websocket.TextMessage, []byte("how many?")))
	require.Equal(t, "2", receive(t, first))
	second.Close()
	require.Eventually(t, func() bool {
		require.NoError(t, first.WriteMessage(websocket.TextMessage, []byte("how many?")))
		return receive(t, first) == "1"
	}, waitFor, poll)
}

// A handler gets Open and Close once for every session, also for one that is
// closed at once because of its channels.
func TestHandlerOfARefusedChannel(t *testing.T) {
	n := startNode(t, "-handler", "people")
	c := n.dial("?channel=" + strings.Repeat("x", maxChannelName+1))
	require.Equal(t, "you are number 1", receive(t, c))
	_, _, err := c.ReadMessage()
	require.True(t, websocket.IsCloseError(err, websocket.ClosePolicyViolation), "%v", err)
	require.Eventually(t, func() bool { return n.metric("wsnode_connections") == 0 }, waitFor, poll)
	require.Equal(t, fmt.Sprintf("you are number %d", 1), receive(t, n.dial("")))
}
