//go:build linux

// Command wsload puts very many WebSocket clients on a fleet, and proves what
// reached them: every echo is compared byte for byte, every broadcast is counted
// on every connection. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
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

// commands by their name, the first argument. Without one of them, wsload makes the
// run that its flags describe.
var commands = map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) int{
	"run":     runMain,
	"compare": compareMain,
	"report":  reportMain,
	"agent":   agentMain,
	workerArgument: func(context.Context, []string, io.Writer, io.Writer) int {
		return workerMain(os.Stdin, os.Stdout, os.Stderr)
	},
}

func main() {
	os.Exit(dispatch(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch is main without the process. It returns the exit status.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if run, ok := commands[args[0]]; ok {
			return run(ctx, args[1:], stdout, stderr)
		}
	}
	return flagsMain(ctx, args, stdout, stderr)
}

func fail(stderr io.Writer, status int, err error) int {
	fmt.Fprintln(stderr, "wsload:", err)
	return status
}
