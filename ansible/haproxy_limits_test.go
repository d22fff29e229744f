package ansible_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// limited runs a HAProxy with these variables in front of one node, and returns how to connect from an address.
func limited(t *testing.T, layer int, vars edgetest.Vars) (connect func(from string) (end func(), answer *http.Response, err error)) {
	t.Helper()
	node := edgetest.StartNode(t, "node-0", layer)
	addr, _ := edgetest.HAProxy(t, edgetest.Edge{Layer: layer, Nodes: []edgetest.Vars{node.Vars()}, Vars: vars})
	return func(from string) (func(), *http.Response, error) {
		c, answer, err := edgetest.DialAs(t, from, addr, nil)
		return func() { c.Close() }, answer, err
	}
}

// requireRefused looks at what a client gets that is over a limit.
func requireRefused(t *testing.T, layer int, answer *http.Response, err error) {
	t.Helper()
	require.Error(t, err)
	if layer == 7 {
		require.NotNil(t, answer, "%v", err)
		assert.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
		assert.Equal(t, "5", answer.Header.Get("Retry-After"))
	}
}

func TestHAProxyBoundsTheConnectionsOfAnAddress(t *testing.T) {
	for _, layer := range edgetest.Layers {
		t.Run(fmt.Sprint("layer ", layer), func(t *testing.T) {
			connect := limited(t, layer, edgetest.Vars{"haproxy_connections_per_address": 3})
			end, _, err := connect("127.0.0.2")
			require.NoError(t, err)
			for range 2 {
				_, _, err := connect("127.0.0.2")
				require.NoError(t, err)
			}
			_, answer, err := connect("127.0.0.2")
			requireRefused(t, layer, answer, err)
			_, _, err = connect("127.0.0.3")
			require.NoError(t, err, "another address is another matter")
			end()
			require.Eventually(t, func() bool {
				_, _, err := connect("127.0.0.2")
				return err == nil
			}, 10*time.Second, 100*time.Millisecond, "one has left")
		})
	}
}

func TestHAProxyBoundsTheHandshakesOfAnAddress(t *testing.T) {
	for _, layer := range edgetest.Layers {
		t.Run(fmt.Sprint("layer ", layer), func(t *testing.T) {
			connect := limited(t, layer, edgetest.Vars{"haproxy_handshakes_per_address": 1})
			taken := 0
			for ; ; taken++ {
				require.Less(t, taken, 100, "never refused")
				end, answer, err := connect("127.0.0.2")
				if err != nil {
					requireRefused(t, layer, answer, err)
					break
				}
				end()
			}
			assert.GreaterOrEqual(t, taken, 10, "of ten seconds")
			_, _, err := connect("127.0.0.3")
			require.NoError(t, err, "another address is another matter")
		})
	}
}

func TestHAProxyBoundsAllHandshakes(t *testing.T) {
	for _, layer := range edgetest.Layers {
		t.Run(fmt.Sprint("layer ", layer), func(t *testing.T) {
			connect := limited(t, layer, edgetest.Vars{"haproxy_handshakes_per_second": 3})
			began := time.Now()
			for i := range 9 {
				_, _, err := connect(fmt.Sprintf("127.0.0.%d", 2+i))
				require.NoError(t, err, "they wait, and are not refused")
			}
			assert.GreaterOrEqual(t, time.Since(began), time.Second, "nine at three a second")
		})
	}
}
