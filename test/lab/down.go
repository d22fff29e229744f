package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/sweep"
)

func setupDown(*flag.FlagSet) func(context.Context, *lab, []string) error {
	return func(_ context.Context, l *lab, _ []string) error {
		if os.Geteuid() != 0 {
			return errors.New("down removes network namespaces and hosts: run it as root")
		}
		start := time.Now()
		// Not stopped by a signal: half a clean-up helps nobody, and it takes seconds.
		left, err := sweep.Down(l.Place)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			for _, what := range left {
				fmt.Fprintln(l.stderr, "lab: still there:", what)
			}
			return exitStatus(1)
		}
		fmt.Fprintf(l.stdout, "lab: is down, nothing is left but the image in %s (%s)\n", l.Cache, time.Since(start).Round(100*time.Millisecond))
		return nil
	}
}
