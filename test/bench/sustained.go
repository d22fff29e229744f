package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	// firstRate is that of the search, in deliveries a second: any machine carries it.
	// From there it goes up by rateStep until it does not hold, each time for trialTime,
	// and in the long run down by rateBack.
	firstRate = 40_000
	rateStep  = 1.2
	rateBack  = 0.94
	trialTime = 12 * time.Second
	// tolerance is how much later deliveries may come at the end than at the beginning,
	// as part of the time between two broadcasts: more is a queue that grows.
	tolerance = 0.5
)

// sustain is a rate of broadcasts that must hold.
type sustain struct {
	rate float64 // broadcasts a second
	last time.Duration
}

func (s sustain) count() int { return max(2, int(s.rate*s.last.Seconds())) }

// errGrows says that the queue grew.
var errGrows = errors.New("deliveries come later and later")

// sustainedBlock is wsnode, with a Redis as it has in production, and the floor beside it.
func sustainedBlock(cfg config, s sustain) *block {
	loops := []string{"-loops", "2"}
	return &block{
		cell: cell{cfg.connections, messageSize}, rounds: cfg.rounds, sustain: s,
		kinds: []kind{{"broadcasts", measureSustained, func(b *block) time.Duration {
			return overhead + per(b.cell.connections, connectRate) + s.last
		}}},
		rows: []*row{
			{name: "wsnode, 2 loops", setup: setup{lib: "wsnode", args: loops, redis: true}},
			{name: "write(2), 2 threads", setup: setup{lib: "floor", args: []string{"-threads", "2"}}},
		},
	}
}

// measureSustained broadcasts at the block's rate. It fails if the client misses
// anything, and with errGrows if it comes later and later.
func measureSustained(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	srv, err := r.start(ctx, s, 0)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	f := figures{}
	n := float64(b.cell.connections * b.sustain.count())
	var before use
	ended := func(phase string) error {
		cpu, redis, client := srv.lap(), srv.redisLap(), r.clientUse()
		if phase == "broadcast" {
			f[deliveryCPU], f[clientCPU], f[clientWakes] = cpu/n, (client.cpu-before.cpu)/n, (client.wakes-before.wakes)/n
			if s.redis {
				f[publishCPU] = redis / float64(b.sustain.count())
			}
		}
		before = client
		return nil
	}
	rep, err := r.load(ctx, ended, append(connectArgs(b.cell), "-echo=false", "-hold", "1s", // the hold ends the phase before it
		"-broadcasts", strconv.Itoa(b.sustain.count()), "-broadcast-size", strconv.Itoa(b.cell.size),
		"-broadcast-rate", strconv.FormatFloat(b.sustain.rate, 'f', 3, 64),
		"-publish", "http://"+adminAddr+"/publish?channel=broadcast")...)
	if err != nil {
		return nil, err
	}
	f[deliveryRateFull] = b.sustain.rate * float64(b.cell.connections)
	f[perCore] = 1 / f[deliveryCPU]
	f[talkP50], f[talkP99], f[talkMax] = rep.Broadcast.P50, rep.Broadcast.P99, rep.Broadcast.Max
	if f[growth], err = rep.growth(); err != nil {
		return nil, err
	}
	if f[growth] > tolerance/b.sustain.rate {
		return nil, fmt.Errorf("%w: after %s at %.2f broadcasts a second, by %.0f ms", errGrows, b.sustain.last, b.sustain.rate, 1e3*f[growth])
	}
	return f, nil
}

// growth is how much later deliveries came in the last third of the broadcasts than in
// the first one, in seconds.
func (r *report) growth() (float64, error) {
	var p50 []float64
	for _, p := range r.Timeline {
		if p.Phase == "broadcast" && p.Broadcast.Delivered > 0 {
			p50 = append(p50, p.Broadcast.P50)
		}
	}
	third := len(p50) / 3
	if third == 0 {
		return 0, fmt.Errorf("wsload's timeline has %d points of the broadcasts, want 3 or more", len(p50))
	}
	return median(p50[len(p50)-third:]) - median(p50[:third]), nil
}

// findRate looks for the highest rate that holds, first for a short time each, then for
// as long as asked for.
func findRate(ctx context.Context, r *runner, cfg config, note func(string)) (sustain, error) {
	if cfg.rate > 0 {
		return sustain{cfg.rate, cfg.minute}, nil
	}
	holds := func(s sustain) bool {
		b := sustainedBlock(cfg, s)
		for range 2 { // what else runs on the machine may have been the reason
			r.waitQuiet(ctx)
			f, err := measureSustained(ctx, r, b.rows[0].setup, b)
			if err == nil {
				note(fmt.Sprintf("%.2f broadcasts a second hold for %s: %.1f us a delivery, p99 %.0f ms", s.rate, s.last, 1e6*f[deliveryCPU], 1e3*f[talkP99]))
				return true
			}
			note(fmt.Sprintf("%.2f broadcasts a second do not hold for %s: %v", s.rate, s.last, err))
		}
		return false
	}
	rate := firstRate / float64(cfg.connections)
	for holds(sustain{rate, trialTime}) && ctx.Err() == nil {
		rate *= rateStep
	}
	for try := 0; try < 10 && ctx.Err() == nil; try++ {
		rate *= rateBack
		if s := (sustain{rate, cfg.minute}); holds(s) {
			return s, nil
		}
	}
	return sustain{}, errors.Join(ctx.Err(), errors.New("no rate holds"))
}
