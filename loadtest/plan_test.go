//go:build linux

package main

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkersFollowFromTheOpenFileLimit(t *testing.T) {
	for _, c := range []struct{ connections, asked, limit, want int }{
		{1_000_000, 0, 20_000, 51},
		{1_000_000, 8, 20_000, 51}, // asked for fewer than can hold them
		{1_000_000, 60, 20_000, 60},
		{19_936, 1, 20_000, 1},
		{19_937, 1, 20_000, 2},
		{1_000_000, 8, 1_048_576, 8},
		{100, 0, 20_000, 1},
		{2, 8, 20_000, 2}, // none without a connection
	} {
		got, note, err := countWorkers(Config{Connections: c.connections, Workers: c.asked}, c.limit)
		require.NoError(t, err)
		require.Equal(t, c.want, got, c)
		require.Equal(t, c.asked > 0 && got > c.asked, note != "", note)
	}
	_, _, err := countWorkers(Config{Connections: 100}, reservedFiles)
	require.ErrorContains(t, err, "the open-file limit 64 leaves none for connections")
	_, _, err = countWorkers(Config{Connections: 1_000_000}, 100)
	require.ErrorContains(t, err, "demands 27778 workers")
}

func TestSharesAreEveryConnectionOnce(t *testing.T) {
	for _, c := range []struct{ total, workers int }{{10, 3}, {9, 3}, {1, 1}, {1000, 7}} {
		p := &plan{cfg: Config{Connections: c.total}, workers: c.workers}
		p.engine.Total, p.engine.Stride = c.total, c.workers
		sum := 0
		for i := range c.workers {
			share := p.share(i)
			for k := range share.Connections() {
				require.Less(t, share.Offset+k*share.Stride, c.total)
			}
			sum += share.Connections()
		}
		require.Equal(t, c.total, sum)
	}
}

func TestTargetsGetTheirAddressesAndSources(t *testing.T) {
	targets, err := resolveTargets(t.Context(), Config{
		Connections: 60_000, Source: "auto",
		Targets: []string{"ws://127.0.0.1:8765", "ws://127.0.0.1/x?channel=a", "ws://localhost:8765/ws"},
	})
	require.NoError(t, err)
	require.Len(t, targets, 3)
	require.Equal(t, netip.MustParseAddrPort("127.0.0.1:8765"), targets[0].Addr)
	require.Equal(t, netip.MustParseAddrPort("127.0.0.1:80"), targets[1].Addr)
	require.Equal(t, "/x?channel=a", targets[1].Path)
	require.Equal(t, targets[0].Addr, targets[2].Addr)
	require.Equal(t, "localhost:8765", targets[2].Host)
	// The first and the third are one destination: 40,000 connections together.
	require.Len(t, targets[0].Sources, 4)
	require.Len(t, targets[1].Sources, 2)
}
