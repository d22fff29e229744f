package edgetest

import (
	"net/http"
	"testing"

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
}
