package clients

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
	"github.com/wsfleet/wsfleet/test/browser"
)

// The page for people in a real browser: from the node itself, and through both
// balancers as the roles configure them.
func TestPage(t *testing.T) {
	for name, through := range map[string]func(*testing.T, *node) string{
		"direct": func(_ *testing.T, n *node) string { return addr(n.ws) },
		"haproxy": func(t *testing.T, n *node) string {
			edge, _ := edgetest.HAProxy(t, edgetest.Edge{Layer: 7, Nodes: []edgetest.Vars{vars(n)}})
			return edge
		},
		"nginx": func(t *testing.T, n *node) string {
			edge, _ := edgetest.Nginx(t, edgetest.Edge{Layer: 7, Nodes: []edgetest.Vars{vars(n)}})
			return edge
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			edge := through(t, n)
			tab := browser.Open(t, "http://"+edge+"/")
			tab.Shows("state", "open")
			tab.Shows("count", "1 connection on 1 node")

			tab.Submit("text", "hi")
			tab.Shows("log", "→ hi")
			tab.Shows("log", "← Server received: hi")

			other, _, err := websocket.DefaultDialer.Dial("ws://"+edge+"/", nil)
			require.NoError(t, err)
			defer other.Close()
			tab.Shows("count", "2 connections on 1 node")

			tab.Submit("channel", "room & <b>co</b>")
			tab.Shows("channels", "broadcast, room & <b>co</b>")
			tab.Shows("state", "open")
			n.publish(t, "room & <b>co</b>", "to the <i>room</i>")
			tab.Shows("log", "← to the <i>room</i>")
			n.publish(t, "broadcast", "to all")
			tab.Shows("log", "← to all")
		})
	}
}

func addr(url string) string { _, a, _ := strings.Cut(strings.TrimSuffix(url, "/"), "//"); return a }

// vars is the node as the roles' lists of nodes have it.
func vars(n *node) edgetest.Vars {
	port := func(url string) int {
		_, p, _ := net.SplitHostPort(addr(url))
		i, _ := strconv.Atoi(p)
		return i
	}
	return edgetest.Vars{"name": "node-0", "address": "127.0.0.1", "port": port(n.ws), "ready_port": port(n.admin)}
}
