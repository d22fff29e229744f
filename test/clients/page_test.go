package clients

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// The page for people in a real browser: from the node itself, and through both
// balancers as the roles configure them.
func TestPage(t *testing.T) {
	for name, through := range map[string]func(*testing.T, node) string{
		"direct": func(_ *testing.T, n node) string { return addr(n.ws) },
		"haproxy": func(t *testing.T, n node) string {
			edge, _ := edgetest.HAProxy(t, []edgetest.Vars{vars(n)})
			return edge
		},
		"nginx": func(t *testing.T, n node) string { return edgetest.Nginx(t, []edgetest.Vars{vars(n)}) },
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			edge := through(t, n)
			tab := openTab(t, "http://"+edge+"/")
			tab.shows("state", "open")
			tab.shows("count", "1 connection on 1 node")

			tab.submit("text", "hi")
			tab.shows("log", "→ hi")
			tab.shows("log", "← Server received: hi")

			other, _, err := websocket.DefaultDialer.Dial("ws://"+edge+"/", nil)
			require.NoError(t, err)
			defer other.Close()
			tab.shows("count", "2 connections on 1 node")

			tab.submit("channel", "room & <b>co</b>")
			tab.shows("channels", "broadcast, room & <b>co</b>")
			tab.shows("state", "open")
			n.publish(t, "room & <b>co</b>", "to the <i>room</i>")
			tab.shows("log", "← to the <i>room</i>")
			n.publish(t, "broadcast", "to all")
			tab.shows("log", "← to all")
		})
	}
}

func addr(url string) string { _, a, _ := strings.Cut(strings.TrimSuffix(url, "/"), "//"); return a }

// vars is the node as the roles' lists of nodes have it.
func vars(n node) edgetest.Vars {
	port := func(url string) int {
		_, p, _ := net.SplitHostPort(addr(url))
		i, _ := strconv.Atoi(p)
		return i
	}
	return edgetest.Vars{"name": "node-0", "address": "127.0.0.1", "port": port(n.ws), "ready_port": port(n.admin)}
}

// tab is a browser's tab, driven over the DevTools protocol.
type tab struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

func openTab(t *testing.T, url string) *tab {
	t.Helper()
	dir := t.TempDir()
	startChromium(t, dir, url)
	var debugger string
	require.Eventually(t, func() bool {
		port, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		if err != nil {
			return false
		}
		line, _, _ := strings.Cut(string(port), "\n")
		resp, err := http.Get("http://127.0.0.1:" + line + "/json/list")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		var targets []struct{ Type, URL, WebSocketDebuggerURL string }
		if json.NewDecoder(resp.Body).Decode(&targets) != nil {
			return false
		}
		for _, target := range targets {
			if target.Type == "page" && strings.HasPrefix(target.URL, url) {
				debugger = target.WebSocketDebuggerURL
			}
		}
		return debugger != ""
	}, time.Minute, 50*time.Millisecond)
	conn, _, err := websocket.DefaultDialer.Dial(debugger, nil)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &tab{t: t, conn: conn}
}

// eval runs an expression in the page and returns its value as text.
func (p *tab) eval(expression string) string {
	p.t.Helper()
	p.id++
	require.NoError(p.t, p.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	require.NoError(p.t, p.conn.WriteJSON(map[string]any{
		"id": p.id, "method": "Runtime.evaluate", "params": map[string]any{"expression": "String(" + expression + ")"},
	}))
	var answer struct {
		ID     int
		Result struct {
			Result           struct{ Value string }
			ExceptionDetails json.RawMessage
		}
	}
	for answer.ID != p.id {
		require.NoError(p.t, p.conn.ReadJSON(&answer))
	}
	require.Empty(p.t, answer.Result.ExceptionDetails, "%s", answer.Result.ExceptionDetails)
	return answer.Result.Result.Value
}

// shows waits until the element has the text.
func (p *tab) shows(id, text string) {
	p.t.Helper()
	var got string
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if got = p.eval(fmt.Sprintf("document.getElementById(%q)?.textContent", id)); strings.Contains(got, text) {
			return
		}
	}
	require.Contains(p.t, got, text, "the element %q", id)
}

// submit types into an input and sends its form.
func (p *tab) submit(id, text string) {
	p.t.Helper()
	p.eval(fmt.Sprintf("(i => { i.value = %q; i.form.requestSubmit() })(document.getElementById(%q))", text, id))
}
