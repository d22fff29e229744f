//go:build linux

package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/engine"
)

// findHosts sets the hosts of the run, this one or the agents', and how many
// workers they run: it finds out whether they can.
func (p *plan) findHosts(ctx context.Context, targets []engine.Target) error {
	cfg := &p.cfg
	token, err := readSecret("-agent-token-file", cfg.AgentTokenFile)
	if err != nil {
		return err
	}
	for i, agent := range cfg.Agents {
		p.hosts = append(p.hosts, &host{agent: agent, token: token, index: i})
	}
	if len(p.hosts) == 0 {
		p.hosts = []*host{{}}
	}
	if err := surveyAll(ctx, p.hosts, func(h *host) question {
		return question{cfg.Source, destinations(targets, h.share(cfg.Connections, len(p.hosts)))}
	}); err != nil {
		return err
	}
	var note string
	if p.workers, note, err = countWorkers(cfg.Connections, cfg.Workers, p.hosts); err != nil {
		return err
	}
	for _, n := range []string{note, heldNote(p.hosts)} {
		if n != "" {
			p.notes = append(p.notes, n)
		}
	}
	return nil
}

// destinations deals out connections to the targets in turn.
func destinations(targets []engine.Target, connections int) []destination {
	perAddress := map[netip.AddrPort]int{} // the same one may have been given twice
	for i, t := range targets {
		perAddress[t.Addr] += (connections - i + len(targets) - 1) / len(targets)
	}
	var list []destination
	for _, t := range targets {
		list = append(list, destination{t.Addr, perAddress[t.Addr]})
	}
	return list
}

// heldNote says which agents work for other leaders too.
func heldNote(hosts []*host) string {
	var busy []string
	for _, h := range hosts {
		if h.facts.Held > 0 {
			busy = append(busy, fmt.Sprintf("%s has %d connections", h.agent, h.facts.Held))
		}
	}
	if len(busy) == 0 {
		return ""
	}
	return "other leaders use the agents too: " + strings.Join(busy, ", ")
}
