//go:build linux

package main

import (
	"fmt"
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
		got, note, err := countWorkers(c.connections, c.asked, hostsWith(facts{FilesEach: c.limit}))
		require.NoError(t, err)
		require.Equal(t, c.want, got, c)
		require.Equal(t, c.asked > 0 && got > c.asked, note != "", note)
	}
	_, _, err := countWorkers(100, 0, hostsWith(facts{FilesEach: reservedFiles}))
	require.ErrorContains(t, err, "the open-file limit 64 leaves none for connections")
	_, _, err = countWorkers(1_000_000, 0, hostsWith(facts{FilesEach: 100}))
	require.ErrorContains(t, err, "demands 27778 workers")
	_, _, err = countWorkers(1_000_000, 0, hostsWith(facts{FilesEach: 20_000, FilesFree: 900_000}))
	require.EqualError(t, err, "-a 1000000: 1000000 connections, where the system has 900000 open files left (fs.file-max)")
}

// hostsWith returns hosts with these facts: this one if there is one, else agents'.
// What a test leaves open is plenty.
func hostsWith(all ...facts) []*host {
	var hosts []*host
	for i, f := range all {
		f.CPUs = max(f.CPUs, 1)
		if f.FilesFree == 0 {
			f.FilesFree = 1 << 40
		}
		if f.FilesEach == 0 {
			f.FilesEach = 1 << 20
		}
		h := &host{index: i, facts: f}
		if len(all) > 1 {
			h.agent = fmt.Sprintf("agent%d:8767", i)
		}
		hosts = append(hosts, h)
	}
	return hosts
}

func TestEveryAgentGetsTheWorkersThatTheTightestNeeds(t *testing.T) {
	for _, c := range []struct {
		connections, asked int
		hosts              []facts
		want               int
	}{
		{1_000_000, 0, []facts{{FilesEach: 20_000}, {CPUs: 8}}, 2 * 26},
		{1_000_000, 0, []facts{{CPUs: 2}, {CPUs: 8}, {}}, 3 * 8},
		{1_000_000, 30, []facts{{FilesEach: 20_000}, {CPUs: 8}}, 2 * 30},
		{1_000_000, 3, []facts{{FilesEach: 20_000}, {CPUs: 8}}, 2 * 26},
		{10, 8, []facts{{}, {}, {}}, 3 * 3}, // none without a connection
		{3, 0, []facts{{}, {}, {}}, 3},
	} {
		got, note, err := countWorkers(c.connections, c.asked, hostsWith(c.hosts...))
		require.NoError(t, err)
		require.Equal(t, c.want, got, c)
		if c.asked == 3 {
			require.Equal(t, "-w 3: starting 26 workers on each agent, because the open-file limit 20000 at agent0:8767 allows each 19936 connections", note)
		}
	}
	_, _, err := countWorkers(1_000_000, 3000, hostsWith(facts{}, facts{}))
	require.EqualError(t, err, "-w 3000: 6000 workers on 2 agents, at most 4096 are possible")
	_, _, err = countWorkers(1_000_000, 0, hostsWith(facts{}, facts{FilesFree: 1000}))
	require.EqualError(t, err, "-a 1000000: 500000 connections at agent1:8767, where the system has 1000 open files left (fs.file-max)")
}

func TestSharesAreEveryConnectionOnce(t *testing.T) {
	for _, c := range []struct{ total, workers, hosts int }{{10, 3, 1}, {9, 3, 1}, {1, 1, 1}, {1000, 7, 1}, {1000, 9, 3}, {10, 6, 2}} {
		p := &plan{workers: c.workers, hosts: hostsWith(make([]facts, c.hosts)...)}
		p.engine.Total, p.engine.Stride, p.engine.Hosts = c.total, c.workers, c.hosts
		sum, ofHost := 0, make([]int, c.hosts)
		for i := range c.workers {
			share := p.share(i)
			for k := range share.Connections() {
				require.Less(t, share.Offset+k*share.Stride, c.total)
			}
			sum += share.Connections()
			ofHost[i%c.hosts] += share.Connections()
		}
		require.Equal(t, c.total, sum)
		for i, h := range p.hosts {
			require.Equal(t, h.share(c.total, c.hosts), ofHost[i], "what the host was asked about")
		}
	}
}

func TestTargetsGetTheirAddressesAndSources(t *testing.T) {
	var cfg Config
	cfg.Targets = []string{"ws://127.0.0.1:8765", "ws://127.0.0.1/x?channel=a", "ws://localhost:8765/ws"}
	targets, err := resolveTargets(t.Context(), cfg, nil)
	require.NoError(t, err)
	require.Len(t, targets, 3)
	require.Equal(t, netip.MustParseAddrPort("127.0.0.1:8765"), targets[0].Addr)
	require.Equal(t, netip.MustParseAddrPort("127.0.0.1:80"), targets[1].Addr)
	require.Equal(t, "/x?channel=a", targets[1].Path)
	require.Equal(t, targets[0].Addr, targets[2].Addr)
	require.Equal(t, "localhost:8765", targets[2].Host)
	f, err := survey(question{"auto", destinations(targets, 60_000)})
	require.NoError(t, err)
	// The first and the third are one destination: 40,000 connections together.
	require.Len(t, f.Sources[0], 4)
	require.Len(t, f.Sources[1], 2)
	require.Positive(t, f.CPUs)
	require.Greater(t, f.FilesEach, reservedFiles)
	require.Positive(t, f.FilesFree)
}
