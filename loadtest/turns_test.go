//go:build linux

package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

func TestWorkersTakeTurnsAndMissNoInstant(t *testing.T) {
	for name, c := range map[string]struct{ total, workers, cpus, hosts, together int }{
		"a worker for each CPU":          {1000, 4, 2, 2, 4},
		"more workers than CPUs":         {1000, 52, 2, 2, 4},
		"shares that differ by one":      {1003, 10, 2, 1, 2},
		"the last turn is a smaller one": {999, 9, 2, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			all := make([]facts, c.hosts)
			for i := range all {
				all[i].CPUs = c.cpus
			}
			p := &plan{workers: c.workers, hosts: hostsWith(all...)}
			p.cfg.Connect.Schedule = scenario.Even
			p.engine.Total, p.engine.Stride, p.engine.Hosts = c.total, c.workers, c.hosts
			var instants, first []int
			for i := range c.workers {
				share := p.share(i)
				first = append(first, share.RampOffset)
				for k := range share.Connections() {
					instants = append(instants, share.RampOffset+k*share.RampStride)
				}
				if before := i - c.together; before >= 0 {
					last := first[before] + (p.connections(before)-1)*c.together
					require.Less(t, last, share.RampOffset+c.together, "worker %d has its turn after worker %d", i, before)
				}
			}
			slices.Sort(instants)
			for i, at := range instants {
				require.InDelta(t, i, at, 1, "shares of a turn may differ by one")
			}
		})
	}
}
