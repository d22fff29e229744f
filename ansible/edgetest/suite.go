package edgetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
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

// Start runs a balancer in front of the nodes until the test ends and returns the address that clients use.
type Start func(t *testing.T, nodes []Vars) (addr string)

// Run is what every balancer must do.
func Run(t *testing.T, start Start) {
	t.Run("handshake and echo pass through", func(t *testing.T) {
		nodes, addr := fleet(t, start, 1)
		c := dial(t, addr)
		echo(t, c, "hello")
		assert.Equal(t, "127.0.0.1", nodes[0].ForwardedFor())
	})

	t.Run("the node with the fewest connections gets the next one", func(t *testing.T) {
		nodes, addr := fleet(t, start, 3)
		for range 30 {
			dial(t, addr)
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
		nodes, addr := fleet(t, start, 3)
		nodes[0].Kill()
		for range 20 {
			echo(t, dial(t, addr), "hello")
		}
		assert.EqualValues(t, 20, nodes[1].Open.Load()+nodes[2].Open.Load())
	})

	t.Run("a full node is passed over", func(t *testing.T) {
		nodes, addr := fleet(t, start, 2)
		nodes[0].Full.Store(true)
		for range 10 {
			echo(t, dial(t, addr), "hello")
		}
		assert.EqualValues(t, 10, nodes[1].Open.Load())
	})

	t.Run("a full fleet says so", func(t *testing.T) {
		nodes, addr := fleet(t, start, 2)
		for _, n := range nodes {
			n.Full.Store(true)
		}
		_, answer, err := websocket.DefaultDialer.Dial("ws://"+addr, nil)
		require.ErrorIs(t, err, websocket.ErrBadHandshake)
		assert.Contains(t, []int{http.StatusBadGateway, http.StatusServiceUnavailable}, answer.StatusCode)
	})

	t.Run("a node that is not ready keeps its connections and gets no more", func(t *testing.T) {
		nodes, addr := fleet(t, start, 2)
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

	t.Run("connections to the nodes are kept for ordinary requests", func(t *testing.T) {
		nodes, addr := fleet(t, start, 1)
		for range 5 {
			answer, err := http.Get("http://" + addr + "/plain")
			require.NoError(t, err)
			answer.Body.Close()
			require.Equal(t, http.StatusOK, answer.StatusCode)
		}
		// One a worker at most; without keep-alive it would be one a request.
		assert.Less(t, nodes[0].TCP.Load(), int64(5))
	})

	t.Run("a client that does not finish its handshake is cut off", func(t *testing.T) {
		_, addr := fleet(t, start, 1)
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n"))
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, c.SetReadDeadline(began.Add(4*HandshakeTimeout)))
		buf := make([]byte, 512)
		for err == nil {
			_, err = c.Read(buf)
		}
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "still open after %s", time.Since(began))
	})
}

func fleet(t *testing.T, start Start, count int) ([]*Node, string) {
	t.Helper()
	nodes, vars := make([]*Node, count), make([]Vars, count)
	for i := range nodes {
		nodes[i] = StartNode(t, fmt.Sprintf("node-%d", i))
		vars[i] = nodes[i].Vars()
	}
	return nodes, start(t, vars)
}

func dial(t *testing.T, addr string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func echo(t *testing.T, c *websocket.Conn, message string) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	require.NoError(t, c.WriteMessage(websocket.TextMessage, []byte(message)))
	_, got, err := c.ReadMessage()
	require.NoError(t, err)
	assert.Equal(t, "Server received: "+message, string(got))
}

// Daemon runs a program until the test ends and waits until it accepts connections at addr.
func Daemon(t *testing.T, addr string, cmd *exec.Cmd) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s wrote:\n%s", cmd.Path, text)
		}
	})
	if addr == "" {
		return
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log.Name())
			require.FailNow(t, "ended at once", "%v: %v\n%s", cmd.Args, err, text)
		default:
			require.True(t, time.Now().Before(until), "nobody listens on %s", addr)
		}
	}
}
