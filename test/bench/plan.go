package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// tries of one measurement that fails: what else runs on the machine may hold up the
	// client, and wsload says so.
	tries = 3
	// maxDisturbance is how much of the CPUs others may take before it is worth
	// measuring once more.
	maxDisturbance = 0.1
)

// block is a cell with the servers that are measured in it, in turn.
type block struct {
	cell     cell
	channels int     // of -part broker: that the connections are spread over
	sustain  sustain // of -part sustained
	kinds    []kind
	rounds   int
	rows     []*row
}

// row is one server in a cell.
type row struct {
	name  string
	setup setup
	runs  []figures
}

// peerBlocks are the cells with all servers. Heartbeats have no size: they are measured
// once for each number of connections.
func peerBlocks(cfg config) (blocks []*block) {
	if len(cfg.servers) == 0 {
		return nil
	}
	seen := map[int]bool{}
	for _, c := range cfg.cells {
		b := &block{cell: c, kinds: []kind{traffic}, rounds: cfg.rounds}
		if !seen[c.connections] {
			b.kinds = append(b.kinds, heartbeats)
		}
		seen[c.connections] = true
		for _, lib := range cfg.servers {
			b.rows = append(b.rows, &row{name: lib, setup: setup{lib: lib}})
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// scalingBlocks are numbers of connections with wsnode on one loop and on two.
func scalingBlocks(cfg config) (blocks []*block) {
	for _, n := range cfg.scaling {
		blocks = append(blocks, &block{
			cell: cell{n, 128}, kinds: []kind{traffic, heartbeats, burst}, rounds: 1,
			rows: []*row{
				{name: "1 loop", setup: setup{lib: "wsnode", args: []string{"-loops", "1"}}},
				{name: "2 loops", setup: setup{lib: "wsnode", args: []string{"-loops", "2"}}},
				{name: "2 loops, bound to CPUs", setup: setup{lib: "wsnode", args: []string{"-loops", "2", "-cpus", "0,1"}}},
			},
		})
	}
	return blocks
}

// step is one measurement.
type step struct {
	block *block
	row   *row
	round int
	kind  kind
}

func (s step) String() string {
	return fmt.Sprintf("%s, round %d of %d: %s of %s", s.block, s.round+1, s.block.rounds, s.kind.name, s.row.name)
}

func (s step) takes() time.Duration { return s.kind.takes(s.block) }

// steps go from server to server rather than doing all rounds of one: when the machine
// slows down, all feel it. Nor is it always the same one that is first.
func steps(blocks []*block) (list []step) {
	for _, b := range blocks {
		for round := range b.rounds {
			for _, k := range b.kinds {
				for i := range b.rows {
					list = append(list, step{b, b.rows[(i+round)%len(b.rows)], round, k})
				}
			}
		}
	}
	return list
}

// runAll makes every measurement of the blocks and keeps the figures in their rows. One
// that fails again and again is left out, with a note.
func runAll(ctx context.Context, r *runner, p *progress, blocks []*block) error {
	list := steps(blocks)
	for _, s := range list {
		p.planned += s.takes()
	}
	for _, s := range list {
		p.begin(s.String())
		f := measure(ctx, r, p, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f != nil {
			s.row.runs = append(s.row.runs, f)
		}
		p.end(s.takes())
	}
	return nil
}

// measure makes one measurement, and again if it fails or is disturbed. It returns the
// less disturbed one, nil if none succeeds.
func measure(ctx context.Context, r *runner, p *progress, s step) (first figures) {
	for try := range tries {
		if try > 0 {
			r.waitQuiet(ctx)
		}
		others := r.watch()
		f, err := s.kind.run(ctx, r, s.row.setup, s.block)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.note(fmt.Sprintf("failed: %v", err))
			continue
		}
		f[disturbance] = others()
		switch {
		case first != nil && f[disturbance] > first[disturbance]:
			return first
		case first != nil || f[disturbance] <= maxDisturbance:
			return f
		}
		p.note(fmt.Sprintf("disturbed: other processes took %.0f %% of the CPUs", 100*f[disturbance]))
		first = f
	}
	return first
}
