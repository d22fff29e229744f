// Command scenario plans the clusters of terraform/cluster/scenarios and tells what they cost.
//
//	scenario plan -scenario million            against AWS; the plan is kept, to be applied
//	scenario plan -scenario million -emulator  against the lab's AWS API, which needs no account; nothing is kept
//	scenario cost                              every scenario's cost an hour, written into terraform/README.md
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

	"github.com/wsfleet/wsfleet/test/lab/place"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scenario:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := place.FindProject(dir)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errors.New("want a command: plan or cost")
	}
	name, args := args[0], args[1:]
	fs := flag.NewFlagSet("scenario "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	var do func() error
	switch name {
	case "plan":
		p := planner{root: root, stdout: stdout, stderr: stderr}
		fs.StringVar(&p.scenario, "scenario", "small", "`name` of a file in terraform/cluster/scenarios")
		fs.BoolVar(&p.emulator, "emulator", false, "plan against the lab's AWS API in place of AWS")
		fs.StringVar(&p.ttl, "ttl", "8h", "how long the cluster is to live, from now: a `duration` such as 8h, or never")
		do = func() error { return p.plan(ctx) }
	case "cost":
		check := fs.Bool("check", false, "write nothing; fail if terraform/README.md tells another cost")
		do = func() error { return cost(ctx, root, *check, stdout) }
	default:
		return fmt.Errorf("unknown command %q: want plan or cost", name)
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", name, fs.Arg(0))
	}
	return do()
}
