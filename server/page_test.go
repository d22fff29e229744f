//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// get asks the WebSocket port as a browser does.
func (n *testNode) get(path string) (*http.Response, string) {
	n.t.Helper()
	resp, err := http.Get("http" + strings.TrimPrefix(n.ws, "ws") + path)
	require.NoError(n.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(n.t, err)
	return resp, string(body)
}

func TestPage(t *testing.T) {
	n := startNode(t)
	resp, body := n.get("?channel=a")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Equal(t, string(pageHTML), body)
	require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)="?(https?:)?//|@import`), body, "nothing comes from elsewhere")
	require.Len(t, regexp.MustCompile(`<(script|style)>`).FindAllString(body, -1), 2, "the policy has a hash for each")
	require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")

	n.dial("")
	n.dial("ws")
	count := func() (name string, connections int) {
		resp, body := n.get("count")
		require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		require.True(t, resp.Close, "a connection that is kept is a WebSocket")
		var c struct {
			Node        string
			Connections int
		}
		require.NoError(t, json.Unmarshal([]byte(body), &c))
		return c.Node, c.Connections
	}
	name, connections := count()
	require.Equal(t, 2, connections, "the request itself is none")
	again, _ := count()
	require.Equal(t, name, again)
	require.EqualValues(t, 3, n.metric("wsnode_pages_served_total"))
	require.Zero(t, n.metric(`wsnode_handshakes_rejected_total{reason="not_websocket"}`))
	require.Zero(t, n.metric(`wsnode_handshakes_rejected_total{reason="gone"}`))

	resp, _ = n.get("favicon.ico")
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestPageOff(t *testing.T) {
	n := startNode(t, "-page=false")
	resp, _ := n.get("")
	require.Equal(t, http.StatusUpgradeRequired, resp.StatusCode)
	resp, _ = n.get("count")
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}
