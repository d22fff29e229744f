//go:build linux

// Command wsnode is a WebSocket server for very many connections: event loops on
// epoll, gorilla/websocket for the protocol, no goroutine per connection.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/oklog/run"
)

// version is set by the linker: -X main.version=….
var version = "dev"

func main() {
	err := runNode(context.Background(), os.Args[1:], os.LookupEnv, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "wsnode:", err)
		os.Exit(1)
	}
}

// runNode is main without the process: it serves until ctx ends or a signal comes,
// drains and returns.
func runNode(ctx context.Context, args []string, lookupEnv func(string) (string, bool), stderr io.Writer) error {
	cfg, err := ParseConfig(args, lookupEnv, stderr)
	if err != nil {
		return err
	}
	if cfg.ShowVersion {
		fmt.Fprintln(stderr, "wsnode", version)
		return nil
	}
	log, closeLog := newLogger(cfg, stderr)
	defer closeLog()
	n, err := newNode(cfg, log)
	if err != nil {
		return err
	}
	defer n.release()

	var g run.Group
	for i := range n.shards {
		g.Add(n.shards[i].loop.Run, func(error) { n.shards[i].loop.Stop() })
	}
	brokerCtx, stopBroker := context.WithCancel(context.Background())
	g.Add(func() error { return n.broker.Run(brokerCtx, n) }, func(error) { stopBroker(); n.hub.Close() })
	presenceCtx, stopPresence := context.WithCancel(context.Background())
	g.Add(func() error { return n.runPresence(presenceCtx) }, func(error) { stopPresence() })
	memoryCtx, stopMemory := context.WithCancel(context.Background())
	g.Add(func() error { return n.memory.Run(memoryCtx) }, func(error) { stopMemory() })
	admin := n.adminServer()
	g.Add(func() error { return admin.Serve(n.adminListener) }, func(error) { admin.Close() })
	hangup, stopHangups := hangups()
	defer stopHangups()
	reloadCtx, stopReloading := context.WithCancel(context.Background())
	g.Add(func() error { return n.reloadOn(reloadCtx, hangup) }, func(error) { stopReloading() })
	// The node lives until it is told to drain, and drained.
	stopCtx, stop := context.WithCancel(ctx)
	g.Add(func() error { return n.untilDrained(stopCtx) }, func(error) { stop() })
	return g.Run()
}

// untilDrained serves until a signal, POST /drain or the end of ctx, then drains.
func (n *node) untilDrained(ctx context.Context) error {
	sigCtx, restore := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer restore()
	if err := n.untilReady(sigCtx); err == nil {
		n.log.Info("ready", "listen", n.listening(), "admin", n.adminListener.Addr(),
			"broker", n.cfg.Fanout.name(), "loops", len(n.shards), "capacity", n.capacity, "version", version)
		_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
		select {
		case <-sigCtx.Done():
		case <-n.drainRequested:
		}
	}
	restore() // from here a second signal ends the process at once
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	if ctx.Err() == nil {
		n.drain(ctx)
	}
	return nil
}
