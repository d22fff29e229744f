//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/signal"
	"syscall"

	"github.com/wsfleet/wsfleet/loadtest/lifeline"
)

// agentPort is where an agent listens unless it is told otherwise.
const agentPort = "8767"

// agentMain serves leaders until ctx ends or a signal comes, which ends the workers.
func agentMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("wsload agent", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	listen := fs.String("listen", "127.0.0.1:"+agentPort, "`address` to listen on for leaders; beyond this host it wants -token-file")
	tokenFile := fs.String("token-file", "", "`file` that holds what leaders must know (their -agent-token-file)")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, "wsload agent runs a share of the load on this host, for leaders that name it in -agents.\n\n"+
			"Usage: wsload agent [flags]\n\nFlags:\n")
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return exitOK
	case err != nil:
		return fail(stderr, exitUsage, fmt.Errorf("%w (wsload agent -help lists the flags)", err))
	case fs.NArg() > 0:
		return fail(stderr, exitUsage, fmt.Errorf("agent: %q: want no arguments, only flags", fs.Arg(0)))
	}
	token, err := readSecret("-token-file", *tokenFile)
	if err != nil {
		return fail(stderr, exitUsage, err)
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return fail(stderr, exitUsage, fmt.Errorf("-listen %q: %w", *listen, lifeline.Reason(err)))
	}
	defer ln.Close()
	if at := ln.Addr().(*net.TCPAddr); token == "" && !at.IP.IsLoopback() {
		return fail(stderr, exitUsage, fmt.Errorf("-listen %q: beyond loopback an agent wants -token-file: it makes load for whoever asks", *listen))
	}
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	a := &agent{log: slog.New(slog.NewTextHandler(stderr, nil)), id: randomID(), token: token, strangers: make(chan struct{}, maxStrangers)}
	a.log.Info("ready", "listen", ln.Addr(), "version", version)
	if err := a.serve(ctx, ln); err != nil {
		return fail(stderr, exitFailed, err)
	}
	a.log.Info("ended")
	return exitOK
}
