// Package ansible_test holds the roles to what they promise, with the real programs on loopback.
package ansible_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

func TestHAProxy(t *testing.T) {
	edgetest.Run(t, func(t *testing.T, nodes []edgetest.Vars) string {
		addr, _ := edgetest.HAProxy(t, nodes)
		return addr
	})
}

func TestHAProxyExportsMetrics(t *testing.T) {
	node := edgetest.StartNode(t, "node-0")
	_, stats := edgetest.HAProxy(t, []edgetest.Vars{node.Vars()})
	answer, err := http.Get("http://" + stats + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `haproxy_server_status{proxy="nodes",server="node-0",state="UP"} 1`)
}
