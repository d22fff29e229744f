package ansible_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

type sizes struct {
	WsnodeInstances           int `json:"wsnode_instances"`
	EdgeProcesses             int `json:"edge_processes"`
	EdgeConnectionsPerProcess int `json:"edge_connections_per_process"`
	NginxWorkers              int `json:"nginx_workers"`
	NginxConnectionsPerWorker int `json:"nginx_connections_per_worker"`
}

func TestProcessesFollowFromTheOpenFileLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files, cpus, wsnode, edge int
		want                      sizes
	}{
		// Four instances of 25,000 for the sake of source ports; files are no bound.
		"a host that allows a million": {1048576, 4, 100000, 500000, sizes{4, 1, 523788, 4, 131750}},
		// 500,000 connections need a million descriptors of 19,000 each, headroom for the hash, and one process to spare.
		"a host held to 20,000": {20000, 4, 100000, 500000, sizes{6, 57, 9500, 57, 9500}},
		"a small lab host":      {20000, 2, 15000, 9000, sizes{1, 1, 9450, 2, 5225}},
		// One over the bound is one process more, for the hash's sake another, and one to spare.
		"just over one instance": {20000, 2, 19001, 9501, sizes{2, 3, 9500, 3, 3826}},
	} {
		t.Run(name, func(t *testing.T) {
			result := filepath.Join(t.TempDir(), "sizes.json")
			edgetest.Playbook(t, "testdata/sizing.yml", edgetest.Vars{
				"ansible_facts":   edgetest.Vars{"host_open_files": c.files, "host_cpus": c.cpus},
				"wsnode_capacity": c.wsnode,
				"edge_capacity":   c.edge,
				"sizing_result":   result,
			})
			text, err := os.ReadFile(result)
			require.NoError(t, err)
			var got sizes
			require.NoError(t, json.Unmarshal(text, &got))
			assert.Equal(t, c.want, got)

			perInstance := (c.wsnode + got.WsnodeInstances - 1) / got.WsnodeInstances
			assert.Less(t, perInstance, c.files, "an instance must not need more files than it may have")
			assert.Less(t, 2*got.EdgeConnectionsPerProcess, c.files)
			assert.Less(t, 2*got.NginxConnectionsPerWorker, c.files)
			assert.GreaterOrEqual(t, got.EdgeProcesses*got.EdgeConnectionsPerProcess, c.edge)
			assert.GreaterOrEqual(t, got.NginxWorkers*got.NginxConnectionsPerWorker, c.edge)
		})
	}
}
