//go:build linux

package main

import "github.com/wsfleet/wsfleet/loadtest/scenario"

// takeTurns gives worker i its place in the ramp. Where hosts run more workers than they have CPUs, as many as have a CPU open
// connections at a time, and all of theirs: each wake-up of a process that opens thousands a second serves many, and of one that
// opens a few, one. Everybody's instants together are those of the whole run, as ever.
func (p *plan) takeTurns(i int) (offset, stride int) {
	atATime := p.workers
	if p.cfg.Connect.Schedule == scenario.Even && p.crowded() {
		atATime = 0
		for _, h := range p.hosts {
			atATime += h.facts.CPUs
		}
		atATime = max(atATime, len(p.hosts)) / len(p.hosts) * len(p.hosts)
	}
	first := i / atATime * atATime // of those whose turn is the same
	for w := range first {
		offset += p.connections(w)
	}
	return offset + i - first, min(atATime, p.workers-first)
}

// crowded says whether the hosts run more workers than they have CPUs.
func (p *plan) crowded() bool {
	cpus := 0
	for _, h := range p.hosts {
		cpus += h.facts.CPUs
	}
	return p.workers > cpus
}

// connections are those of worker w.
func (p *plan) connections(w int) int {
	return (p.engine.Total - w + p.workers - 1) / p.workers
}
