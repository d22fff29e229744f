//go:build linux

package main

import (
	"context"
	"sync"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session"
)

const (
	// drainStep is how often a draining loop closes its next share.
	drainStep = 50 * time.Millisecond
	// drainGrace is how long clients may take for their part of the closing
	// handshake once the last was told; session.closeWait is within it.
	drainGrace = 6 * time.Second
	// drainPatience is how long those who are there may still be sent what had arrived
	// before the first is told to leave. While messages keep coming, there is no such
	// moment; each still gets all up to its own end.
	drainPatience = time.Second
)

// requestDrain makes the node drain and then end. Safe to call often.
func (n *node) requestDrain() { n.drainOnce.Do(func() { close(n.drainRequested) }) }

// drain ends the service without cutting anyone short: no new connections, then
// 1012 to every session, spread over Config.DrainTime so that the clients do not
// all return at once. It returns when the last connection is gone.
func (n *node) drain(ctx context.Context) {
	start, before := time.Now(), n.connections()
	n.log.Info("draining", "connections", before, "over", n.cfg.DrainTime)
	n.server.SetDraining()
	n.waitFor(ctx, drainPatience, n.delivered)
	var wg sync.WaitGroup
	for _, s := range n.shards {
		wg.Go(func() { s.drain(ctx, n.cfg.DrainTime) })
	}
	wg.Wait()
	n.waitFor(ctx, drainGrace, func() bool { return n.connections() == 0 && n.broker.Stats().Publishing.Load() == 0 })
	n.log.Info("drained", "connections", before, "left", n.connections(), "took", time.Since(start).Round(time.Millisecond))
}

// delivered reports whether all messages that have arrived are with the connections.
func (n *node) delivered() bool {
	return n.broker.Stats().Waiting.Load() == 0 && n.hub.Stats().UnderWay.Load() == 0
}

// waitFor returns once done does, after patience, or at the end of ctx.
func (n *node) waitFor(ctx context.Context, patience time.Duration, done func() bool) {
	for deadline := time.Now().Add(patience); !done() && time.Now().Before(deadline) && ctx.Err() == nil; {
		time.Sleep(5 * time.Millisecond)
	}
}

// connections returns how many are open now, also in handshake.
func (n *node) connections() (sum int64) {
	for _, s := range n.shards {
		sum += s.loop.Stats().Conns.Load()
	}
	return sum
}

// drain stops listening, and tells the loop's sessions to leave, a share each step.
func (s *shard) drain(ctx context.Context, over time.Duration) {
	left := s.stopListening()
	steps := max(1, int(over/drainStep))
	tick := time.NewTicker(drainStep)
	defer tick.Stop()
	for ; steps > 0 && len(left) > 0; steps-- {
		share := left[:(len(left)+steps-1)/steps]
		left = left[len(share):]
		if !s.loop.Post(func() { s.hub.After(func() { restart(share) }) }) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// stopListening closes the loop's listener and returns the sessions it has then.
func (s *shard) stopListening() []*session.Session {
	got := make(chan []*session.Session, 1)
	ok := s.loop.Post(func() {
		s.loop.StopListening()
		var all []*session.Session
		s.loop.Handlers(func(h netpoll.Handler) bool {
			all = append(all, h.(*session.Session))
			return true
		})
		got <- all
	})
	if !ok {
		return nil
	}
	return <-got
}

func restart(sessions []*session.Session) {
	for _, s := range sessions {
		s.Restart()
	}
}
