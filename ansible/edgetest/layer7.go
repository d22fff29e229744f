package edgetest

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runLayer7 is what a balancer must do that understands HTTP.
func runLayer7(t *testing.T, start Start) {
	t.Run("a full node is passed over", func(t *testing.T) {
		nodes, addr := fleet(t, start, 7, 2)
		nodes[0].Full.Store(true)
		for range 10 {
			echo(t, dial(t, addr), "hello")
		}
		assert.EqualValues(t, 10, nodes[1].Open.Load())
	})

	t.Run("connections to the nodes are kept for ordinary requests", func(t *testing.T) {
		nodes, addr := fleet(t, start, 7, 1)
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
		_, addr := fleet(t, start, 7, 1)
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
