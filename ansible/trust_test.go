package ansible_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// The nodes take a client's address from the edges of the inventory, in the form that the edges' layer gives it.
func TestNodesTrustTheEdges(t *testing.T) {
	hosts := filepath.Join(t.TempDir(), "hosts.yml")
	require.NoError(t, os.WriteFile(hosts, []byte(`all:
  children:
    redis: {hosts: {i-0: {private_ip_address: 10.0.0.9}}}
    node: {hosts: {i-1: {private_ip_address: 10.0.0.1}}}
    edge: {hosts: {i-3: {private_ip_address: 10.0.0.3}, i-2: {private_ip_address: 10.0.0.2}}}
`), 0o600))
	for layer, proxyProtocol := range map[string]string{"7": "false", "4": "true"} {
		t.Run("layer "+layer, func(t *testing.T) {
			result := filepath.Join(t.TempDir(), "wsnode.env")
			edgetest.Command(t, "ansible-playbook", "ansible", "-i", hosts, "testdata/trust.yml", "-e", "edge_layer="+layer,
				"-e", "trust_result="+result, "-e", `{"ansible_facts": {"host_cpus": 1}}`)
			text, err := os.ReadFile(result)
			require.NoError(t, err)
			assert.Contains(t, string(text), "WSNODE_TRUSTED_PROXIES=10.0.0.2,10.0.0.3\n")
			assert.Contains(t, string(text), "WSNODE_PROXY_PROTOCOL="+proxyProtocol+"\n")
		})
	}
}
