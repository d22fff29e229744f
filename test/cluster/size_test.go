package cluster

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSizeFollowsFromTheConnections(t *testing.T) {
	require.Equal(t, Size{
		Connections: 1_000_000, Nodes: 2, Edges: 2, Generators: 2, Addresses: 10, NodeCapacity: 525_000, EdgeCapacity: 500_000,
	}, SizeFor(1_000_000))
	require.Equal(t, 1, SizeFor(10_000).Addresses)

	for _, n := range []int{1, 99_999, 100_000, 100_001, 1_100_000, 1_100_001, 2_000_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := SizeFor(n)
			require.GreaterOrEqual(t, s.Edges*s.EdgeCapacity, n)
			require.GreaterOrEqual(t, s.Nodes*s.NodeCapacity, n+19_000, "the nodes take over what one process held")
			require.LessOrEqual(t, s.EdgeCapacity, connectionsPerHost)
			require.LessOrEqual(t, divUp(n, s.Generators*s.Addresses*s.Edges), 28_000, "connections of one address to one port")
		})
	}
}
