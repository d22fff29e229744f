//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/access"
	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/hub"
	"github.com/wsfleet/wsfleet/server/memlimit"
	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/presence"
	"github.com/wsfleet/wsfleet/server/session"
)

// node is everything that one process serves.
type node struct {
	cfg            Config
	log            *slog.Logger
	capacity       int
	server         *session.Server
	gate           *gate
	hub            *hub.Hub
	broker         broker.Broker
	framer         *session.Framer
	handler        session.Handler
	presence       *presence.Presence
	presenceClient redis.UniversalClient // nil for a node on its own
	relayDropped   atomic.Uint64
	shards         []*shard
	listenAddrs    []netip.AddrPort
	memory         *memlimit.Tuner
	adminListener  net.Listener
	metrics        *nodeMetrics

	drainOnce      sync.Once
	drainRequested chan struct{}
}

// shard is the part of a node that lives on one loop.
type shard struct {
	node     *node
	loop     *netpoll.Loop
	sessions *session.Shard
	hub      *hub.Shard
}

// newNode claims the ports and everything else that can be refused, so that a
// wrong configuration ends the process before it serves anybody.
func newNode(cfg Config, log *slog.Logger) (_ *node, err error) {
	n := &node{cfg: cfg, log: log, drainRequested: make(chan struct{})}
	if n.capacity, err = capacity(cfg.MaxConnections); err != nil {
		return nil, err
	}
	origins, err := access.ParseOrigins(cfg.Origins)
	if err != nil {
		return nil, fmt.Errorf("-origins %w", err)
	}
	if n.gate, err = newGate(cfg); err != nil {
		return nil, err
	}
	if n.memory, err = memlimit.NewTuner(cfg.memoryMarks(), n.trim); err != nil {
		return nil, err
	}
	if n.broker, err = cfg.Fanout.newBroker(); err != nil {
		return nil, err
	}
	n.handler = handlers[cfg.Handler](n)
	n.metrics = newMetrics()
	n.hub = n.newHub()
	if n.presence, n.presenceClient, err = n.newPresence(); err != nil {
		return nil, err
	}
	n.server = session.NewServer(session.Config{
		HandshakeTimeout:  cfg.HandshakeTimeout,
		HandshakeLimit:    cfg.HandshakeLimit,
		ReadLimit:         cfg.ReadLimit,
		ReceiveMemory:     cfg.receiveMemory(n.memory.Room().Limit),
		HeartbeatInterval: cfg.HeartbeatInterval,
		HeartbeatTimeout:  cfg.HeartbeatTimeout,
		MaxConnections:    n.capacity,
		MemoryShort:       n.memory.Refuse,
		RetryAfter:        cfg.RetryAfter,
		Paths:             []string{"/", "/ws"},
		AllowOrigin:       origins.Allow,
		Gate:              n.gate,
		Subprotocols:      []string{access.Subprotocol},
		Compression:       cfg.Compression,
		Plain:             n.plain(),
		ObserveRTT:        n.metrics.observeRTT,
	})
	n.framer = session.NewFramer(n.server)
	defer func() {
		if err != nil {
			n.release()
		}
	}()
	if n.adminListener, err = net.Listen("tcp", cfg.Admin); err != nil {
		return nil, fmt.Errorf("-admin %q: %w", cfg.Admin, err)
	}
	for _, a := range cfg.listenAddresses() {
		addr, _ := listenAddr(a) // Validate has seen it
		n.listenAddrs = append(n.listenAddrs, addr)
	}
	cpus, _ := cfg.cpuList()
	for i := range cfg.Loops {
		if err = n.addShard(i, cpus); err != nil {
			return nil, err
		}
	}
	n.metrics.watch(n)
	return n, nil
}

// addShard makes the loop of that number, bound to its CPU if there is a list of them.
func (n *node) addShard(number int, cpus []int) error {
	cfg := netpoll.Config{MaxQueue: n.cfg.SendQueue}
	if len(cpus) > 0 {
		cfg.CPUs = cpus[number%len(cpus) : number%len(cpus)+1]
	}
	loop, err := netpoll.New(cfg)
	if err != nil {
		return err
	}
	s := &shard{node: n, loop: loop, sessions: n.server.NewShard(loop), hub: n.hub.NewShard(loop)}
	n.shards = append(n.shards, s)
	for i, addr := range n.listenAddrs {
		ln, err := loop.Listen(addr, n.cfg.listenOptions(), func(fd int) {
			c := &client{shard: s}
			s.sessions.Accept(fd, &c.Session, c)
		})
		if err != nil {
			return fmt.Errorf("-listen %q: %w", addr, err)
		}
		n.listenAddrs[i] = ln.Addr() // of the first loop, where the port was 0: the others share it
	}
	return nil
}

// listening names the addresses that clients connect to, as -listen takes them.
func (n *node) listening() string {
	names := make([]string, len(n.listenAddrs))
	for i, a := range n.listenAddrs {
		names[i] = a.String()
	}
	return strings.Join(names, ",")
}

// release gives back what newNode claimed. Loops that ran have released theirs.
func (n *node) release() {
	if n.adminListener != nil {
		n.adminListener.Close()
	}
}

// plain returns what answers browsers that ask for a page, nil for nothing.
func (n *node) plain() func(*http.Request) []byte {
	if !n.cfg.Page {
		return nil
	}
	return newPage(n.openSessions).answer
}

// trim drops what the loops keep for speed. It waits for them, but not for one that is
// stalled.
func (n *node) trim() {
	done := make(chan struct{}, len(n.shards))
	for _, s := range n.shards {
		s.loop.Post(func() { s.sessions.Trim(); done <- struct{}{} })
	}
	patience := time.After(trimPatience)
	for range n.shards {
		select {
		case <-done:
		case <-patience:
			return
		}
	}
}

// trimPatience is how long trim waits for the loops.
const trimPatience = time.Second

// untilReady waits until the broker has been reached.
func (n *node) untilReady(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n.broker.Ready() != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// unready says why the node should get no new connections, nil if it should.
func (n *node) unready() error {
	if n.server.Draining() {
		return fmt.Errorf("draining")
	}
	if n.memory.Nearly() {
		return fmt.Errorf("memory: %.0f %% of %d MiB in use", 100*n.memory.Room().Used(), n.memory.Room().Limit>>20)
	}
	if open := n.connections(); open >= int64(n.capacity-n.capacity/100) {
		return fmt.Errorf("full: %d of %d connections", open, n.capacity)
	}
	return n.broker.Ready()
}
