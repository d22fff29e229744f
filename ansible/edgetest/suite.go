package edgetest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// HandshakeTimeout is what Start must set the balancer's handshake time-out to.
const HandshakeTimeout = 2 * time.Second

// settle is how long a balancer may take to notice that a node is ready no more.
const settle = 20 * time.Second

// Layers that a balancer can work in.
var Layers = []int{7, 4}

// Edge says what a balancer is to be.
type Edge struct {
	Layer int    // 7 or 4
	Nodes []Vars // as the roles' lists of nodes have them
	Vars  Vars   // of the role, to be set otherwise
}

// Start runs a balancer until the test ends and returns the address that clients use.
type Start func(t *testing.T, edge Edge) (addr string)

// Run is what every balancer must do, in both layers.
func Run(t *testing.T, start Start) {
	t.Run("layer 7", func(t *testing.T) {
		runAny(t, start, 7)
		runLayer7(t, start)
		runWsnodes(t, start, 7)
	})
	t.Run("layer 4", func(t *testing.T) {
		runAny(t, start, 4)
		runWsnodes(t, start, 4)
	})
}

// runAny is what it must do whatever the layer.
func runAny(t *testing.T, start Start, layer int) {
	t.Run("handshake and echo pass through", func(t *testing.T) {
		nodes, addr := fleet(t, start, layer, 1)
		c := dial(t, addr)
		echo(t, c, "hello")
		assert.Equal(t, "127.0.0.1", nodes[0].Client())
		_, _, err := DialAs(t, "127.0.0.2", addr, nil)
		require.NoError(t, err)
		assert.Equal(t, "127.0.0.2", nodes[0].Client())
	})

	t.Run("the node with the fewest connections gets the next one", func(t *testing.T) {
		nodes, addr := fleet(t, start, layer, 3)
		for range 30 {
			go closeAtEnd(dial(t, addr))
		}
		for _, n := range nodes {
			assert.EqualValues(t, 10, n.Open.Load(), n.Name)
		}
		// Round robin would spread these over all three.
		require.Eventually(t, func() bool {
			nodes[1].HangUp()
			return nodes[1].Open.Load() == 0
		}, 5*time.Second, 10*time.Millisecond)
		time.Sleep(200 * time.Millisecond) // the balancer learns of it a moment after the node
		for range 9 {
			dial(t, addr)
		}
		assert.EqualValues(t, 9, nodes[1].Open.Load())
		assert.EqualValues(t, 10, nodes[0].Open.Load())
	})

	t.Run("a dead node is passed over", func(t *testing.T) {
		nodes, addr := fleet(t, start, layer, 3)
		nodes[0].Kill()
		for range 20 {
			echo(t, dial(t, addr), "hello")
		}
		assert.EqualValues(t, 20, nodes[1].Open.Load()+nodes[2].Open.Load())
	})

	t.Run("a full fleet says so", func(t *testing.T) {
		nodes, addr := fleet(t, start, layer, 2)
		for _, n := range nodes {
			n.Full.Store(true)
		}
		_, answer, err := websocket.DefaultDialer.Dial("ws://"+addr, nil)
		require.ErrorIs(t, err, websocket.ErrBadHandshake)
		assert.Contains(t, []int{http.StatusBadGateway, http.StatusServiceUnavailable}, answer.StatusCode)
	})

	t.Run("a node that is not ready keeps its connections and gets no more", func(t *testing.T) {
		nodes, addr := fleet(t, start, layer, 2)
		held := []*websocket.Conn{dial(t, addr), dial(t, addr)}
		require.EqualValues(t, 1, nodes[0].Open.Load())
		nodes[0].Ready.Store(false)
		// It has the fewest connections once the other holds some, so it would get the next ones.
		require.Eventually(t, func() bool {
			before := nodes[0].Open.Load()
			for range 4 {
				dial(t, addr)
			}
			return nodes[0].Open.Load() == before
		}, settle, time.Second)
		for _, c := range held {
			echo(t, c, "still here")
		}
		nodes[0].Ready.Store(true)
		require.Eventually(t, func() bool {
			before := nodes[0].Open.Load()
			dial(t, addr)
			return nodes[0].Open.Load() > before
		}, settle, 500*time.Millisecond)
	})
}

func fleet(t *testing.T, start Start, layer, count int) ([]*Node, string) {
	t.Helper()
	nodes, vars := make([]*Node, count), make([]Vars, count)
	for i := range nodes {
		nodes[i] = StartNode(t, fmt.Sprintf("node-%d", i), layer)
		vars[i] = nodes[i].Vars()
	}
	return nodes, start(t, Edge{Layer: layer, Nodes: vars})
}
