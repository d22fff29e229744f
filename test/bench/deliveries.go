package main

import (
	"context"
	"strconv"
)

// floorBroadcasts to all connections: some 300,000 deliveries. They are all that is
// measured there.
func floorBroadcasts(c cell) int { return 3 * max(100_000/c.connections, 5) }

// measureDeliveries only broadcasts, also by servers that can do nothing else, and looks
// at the client, too: it must have had the same to do.
func measureDeliveries(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	c := b.cell
	srv, err := r.start(ctx, s, 0)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	f := figures{}
	n := float64(c.connections * floorBroadcasts(c))
	var before use
	ended := func(phase string) error {
		cpu, client := srv.lap(), r.clientUse()
		if phase == "broadcast" {
			f[deliveryCPU] = cpu / n
			f[clientCPU] = (client.cpu - before.cpu) / n
			f[clientWakes] = (client.wakes - before.wakes) / n
		}
		before = client
		return nil
	}
	_, err = r.load(ctx, ended, append(connectArgs(c), "-echo=false", "-hold", "1s", // the hold ends the phase before it
		"-broadcasts", strconv.Itoa(floorBroadcasts(c)), "-broadcast-size", strconv.Itoa(c.size),
		"-broadcast-rate", strconv.FormatFloat(broadcastsPerSecond(c), 'f', 2, 64),
		"-publish", "http://"+adminAddr+"/publish?channel=broadcast")...)
	return f, err
}
