package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// messageSize of what is published, in bytes.
	messageSize = 128
	// deliveriesUnderWay are so many that nobody waits for work while it is looked for
	// how much comes through, and so few that nothing is dropped.
	deliveriesUnderWay = 20_000
	// load is the part of what comes through at which it is measured how long it takes.
	load = 0.5
	// talkTime is how long each of both is measured, after a second of warming up.
	talkTime = 5 * time.Second
	// historyLength is how much each channel keeps in a measurement with history.
	historyLength = "1000"
)

// fanoutBlocks are wsnode with a Redis, its connections spread over channels, without
// history and with it.
func fanoutBlocks(cfg config) (blocks []*block) {
	relay := []string{"-handler", "relay"}
	history := []string{"-history-length", historyLength}
	for _, n := range cfg.channels {
		b := &block{cell: cell{cfg.connections, messageSize}, channels: n, rounds: cfg.rounds, kinds: []kind{talking}}
		b.rows = append(b.rows, &row{name: "off", setup: setup{lib: "wsnode", args: relay, redis: true}})
		if knowsFlag(cfg, history[0]) {
			b.rows = append(b.rows, &row{name: historyLength + " messages", setup: setup{lib: "wsnode", args: append(history, relay...), redis: true}})
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// knowsFlag reports whether the wsnode that is measured has a flag.
func knowsFlag(cfg config, name string) bool {
	help, _ := exec.Command(cfg.wsnode(), "-help").CombinedOutput()
	return strings.Contains(string(help), "  "+name+" ")
}

// talkReport is what talk reports.
type talkReport struct {
	Seconds    float64
	Published  int
	Deliveries int
	P50, P99   float64
}

// measureTalk finds how many messages come through, and then how long they take when
// there are half as many.
func measureTalk(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	members := max(1, b.cell.connections/b.channels)
	window := min(max(deliveriesUnderWay/members, 2), 2000)
	full, f, err := r.talkOnce(ctx, s, b, "-window", strconv.Itoa(window))
	if err != nil {
		return nil, err
	}
	f[publishRate] = float64(full.Published) / full.Seconds
	f[deliveryRateFull] = float64(full.Deliveries) / full.Seconds
	half, _, err := r.talkOnce(ctx, s, b, "-rate", strconv.FormatFloat(load*f[publishRate], 'f', 2, 64))
	if err != nil {
		return nil, err
	}
	f[talkP50], f[talkP99] = half.P50, half.P99
	return f, nil
}

// talkOnce runs talk against a new node with a new Redis. The figures are about the CPUs.
func (r *runner) talkOnce(ctx context.Context, s setup, b *block, args ...string) (rep talkReport, f figures, err error) {
	srv, err := r.start(ctx, s, 0)
	if err != nil {
		return rep, nil, err
	}
	defer srv.stop()
	var node, redis, client float64
	ended := func(phase string) error {
		n, rs, c := useOf(srv.cmd.Process.Pid).cpu, useOf(srv.redis.cmd.Process.Pid).cpu, r.clientUse().cpu
		if phase == "measure" {
			n, rs, c = n-node, rs-redis, c-client
		}
		node, redis, client = n, rs, c
		return nil
	}
	args = append(args, "-connections", strconv.Itoa(b.cell.connections), "-channels", strconv.Itoa(b.channels), "-size", strconv.Itoa(b.cell.size),
		"-for", talkTime.String(), "-json", r.report, listenAddr)
	if err := r.client(ctx, "talk", r.talk, args, ended, &rep); err != nil {
		return rep, nil, err
	}
	return rep, figures{
		nodeCores: node / rep.Seconds, redisCores: redis / rep.Seconds, clientCores: client / rep.Seconds,
		perCore:     float64(rep.Deliveries) / node,
		deliveryCPU: node / float64(rep.Deliveries),
		publishCPU:  redis / float64(rep.Published),
	}, nil
}

func (b *block) String() string {
	if b.channels == 0 {
		return b.cell.String()
	}
	return fmt.Sprintf("%s on %s", b.cell, count(b.channels, "channel"))
}
