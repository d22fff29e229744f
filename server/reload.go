//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// hangups returns a channel that gets each SIGHUP, which from here on does not end
// the process, until stop.
func hangups() (hangup <-chan os.Signal, stop func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGHUP)
	return ch, func() { signal.Stop(ch) }
}

// reloadOn reads the key files again on each signal, until ctx ends.
func (n *node) reloadOn(ctx context.Context, hangup <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			n.reload()
		}
	}
}

func (n *node) reload() {
	if n.gate.tokens == nil {
		n.log.Info("nothing to reload: there are no -jwt-keys")
		return
	}
	if err := n.gate.tokens.Reload(); err != nil {
		n.gate.reloadErrors.Add(1)
		n.log.Error("the keys stay as they were", "error", fmt.Errorf("-jwt-keys %w", err))
		return
	}
	n.log.Info("keys reloaded", "keys", n.gate.keys())
}
