// Package ansible_test holds the roles to what they promise, with the real programs on loopback.
package ansible_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
	"github.com/wsfleet/wsfleet/test/nodetest"
)

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, func() error { return nil })) }

func TestHAProxy(t *testing.T) {
	edgetest.Run(t, func(t *testing.T, edge edgetest.Edge) string {
		addr, _ := edgetest.HAProxy(t, edge)
		return addr
	})
}

func TestHAProxyExportsMetrics(t *testing.T) {
	for _, layer := range edgetest.Layers {
		t.Run(fmt.Sprint("layer ", layer), func(t *testing.T) {
			node := edgetest.StartNode(t, "node-0", layer)
			_, stats := edgetest.HAProxy(t, edgetest.Edge{Layer: layer, Nodes: []edgetest.Vars{node.Vars()}})
			answer, err := http.Get("http://" + stats + "/metrics")
			require.NoError(t, err)
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			assert.Contains(t, string(body), `haproxy_server_status{proxy="nodes",server="node-0",state="UP"} 1`)
		})
	}
}
