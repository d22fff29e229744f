//go:build linux

// Command wsload puts very many WebSocket clients on a fleet, and proves what
// reached them: every echo is compared byte for byte, every broadcast is counted
// on every connection. See README.md.
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
)

// version is set by the linker: -X main.version=….
var version = "dev"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // an expectation failed, or the run could not be made
	exitUsage  = 2 // nothing was started
)

// workerArgument makes the process a worker of the one that started it.
const workerArgument = "worker"

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerArgument {
		os.Exit(workerMain(os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(leaderMain(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// leaderMain is main without the process. The first SIGINT or SIGTERM closes the
// connections and reports, a second one ends everything at once.
func leaderMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := ParseConfig(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return fail(stderr, exitUsage, err)
	case cfg.ShowVersion:
		fmt.Fprintln(stdout, "wsload", version)
		return exitOK
	}
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore)

	plan, err := newPlan(ctx, cfg)
	if err != nil {
		return fail(stderr, exitUsage, err)
	}
	if cfg.JSON == "-" { // nothing else may stand on standard output then
		cfg.jsonOut, stdout = stdout, stderr
	}
	return lead(ctx, plan, stdout, stderr)
}

func fail(stderr io.Writer, status int, err error) int {
	fmt.Fprintln(stderr, "wsload:", err)
	return status
}
