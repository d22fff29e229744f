package edgetest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
)

// Node is a WebSocket endpoint as the balancer sees one: echo on one port, readiness on another. A test can make it
// refuse or be unready, which a real wsnode does only when it has reason to.
type Node struct {
	Name string
	ws   *httptest.Server
	adm  *httptest.Server

	Ready atomic.Bool // what /readyz answers
	Full  atomic.Bool // refuses every handshake with 503
	Open  atomic.Int64
	TCP   atomic.Int64 // connections accepted, WebSocket or not

	mu     sync.Mutex
	client string            // guarded by mu
	conns  []*websocket.Conn // guarded by mu
}

// StartNode starts a node that ends with the test. Behind a balancer of layer 4 it wants the PROXY protocol.
func StartNode(t testing.TB, name string, layer int) *Node {
	n := &Node{Name: name}
	n.Ready.Store(true)
	n.ws = httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	if layer == 4 {
		n.ws.Listener = proxyListener{n.ws.Listener}
	}
	n.ws.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.TCP.Add(1)
		}
	}
	n.ws.Start()
	n.adm = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || !n.Ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(n.Kill)
	return n
}

func (n *Node) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.client = r.Header.Get("X-Forwarded-For")
	if _, behindLayer4 := n.ws.Listener.(proxyListener); behindLayer4 {
		n.client, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	n.mu.Unlock()
	if n.Full.Load() {
		http.Error(w, "full", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/plain" {
		return
	}
	// Counted before the client can know that it is connected.
	n.Open.Add(1)
	defer n.Open.Add(-1)
	upgrader := websocket.Upgrader{}
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	n.mu.Lock()
	n.conns = append(n.conns, c)
	n.mu.Unlock()
	defer c.Close()
	for {
		kind, message, err := c.ReadMessage()
		if err != nil {
			return
		}
		if err := c.WriteMessage(kind, append([]byte("Server received: "), message...)); err != nil {
			return
		}
	}
}

// Client is the address of who sent the last request, as the balancer tells it.
func (n *Node) Client() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.client
}

// HangUp ends the node's WebSocket connections and nothing else.
func (n *Node) HangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

// Kill ends the node: its ports refuse from now on.
func (n *Node) Kill() {
	n.HangUp()
	n.ws.Close()
	n.adm.Close()
}

// Vars is the node as the roles' lists of nodes have it.
func (n *Node) Vars() Vars {
	return Vars{"name": n.Name, "address": "127.0.0.1", "port": port(n.ws), "ready_port": port(n.adm)}
}

func port(s *httptest.Server) int {
	_, p, _ := net.SplitHostPort(s.Listener.Addr().String())
	n, _ := strconv.Atoi(p)
	return n
}
