//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/message"
)

// plan is everything that is known before the first connection.
type plan struct {
	cfg        Config
	run        string
	workers    int
	hosts      []*host
	notes      []string // on what differs from what was asked
	engine     engine.Config
	publishers []publisher
}

// newPlan finds out whether the run can be made: addresses, ports, open files.
func newPlan(ctx context.Context, cfg Config) (*plan, error) {
	p := &plan{cfg: cfg, run: randomID()}
	for p.cfg.Seed == 0 {
		p.cfg.Seed = randomSeed()
	}
	broadcasts, channels := cfg.Broadcasts()
	var err error
	presented, err := present(&cfg.Client)
	if err != nil {
		return nil, err
	}
	for _, phase := range cfg.Phases {
		if phase.Echo != nil {
			if err := phase.Echo.ReadMessages(); err != nil {
				return nil, fmt.Errorf("-message-file: %w", err)
			}
		}
	}
	targets, err := resolveTargets(ctx, cfg, presented.query)
	if err != nil {
		return nil, err
	}
	if err := p.findHosts(ctx, targets); err != nil {
		return nil, err
	}
	password, err := readSecret("-publish-password-file", cfg.Publish.PasswordFile)
	if err != nil {
		return nil, err
	}
	for _, u := range cfg.Publish.URLs {
		pub, err := newPublisher(u, password, channels > 1)
		if err != nil {
			return nil, fmt.Errorf("-publish %q: %w", u, err)
		}
		p.publishers = append(p.publishers, pub)
	}
	p.engine = engine.Config{
		Run: p.run, Seed: p.cfg.Seed, Total: cfg.Connections, Stride: p.workers, Hosts: len(p.hosts),
		Targets: targets, Connect: cfg.Connect, Timeout: cfg.Timeout, Close: cfg.Close,
		Reconnect: cfg.Reconnect, Resume: cfg.Resume,
		Handshake: presented.handshake, TLS: presented.tls,
		Broadcasts: broadcasts, Channels: channels,
	}
	return p, checkTLS(&cfg.Client, p.engine.HasTLS())
}

// share is the part of worker i. Connections are dealt out in turn, so that the
// shares' schedules together are the even one of the run. Workers are dealt out to
// the hosts in turn, so that their shares are equal too.
func (p *plan) share(i int) engine.Config {
	c, h := p.engine, p.hosts[i%len(p.hosts)]
	c.Offset, c.ClockAhead = i, h.ahead
	c.RampOffset, c.RampStride = p.takeTurns(i)
	c.Targets = slices.Clone(c.Targets)
	for t := range c.Targets {
		c.Targets[t].Sources = h.facts.Sources[t]
	}
	return c
}

func randomID() string {
	var b [message.RunIDLength / 2]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
