package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/toolenv"
)

func setupEnv(*flag.FlagSet) func(context.Context, *lab, []string) error {
	return func(ctx context.Context, l *lab, _ []string) error {
		report, err := daemon.Ask(ctx, l.Place)
		if err != nil {
			return err
		}
		vars, err := toolenv.Environment(l.Place, report.API)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(l.stdout, toolenv.Shell(vars))
		return err
	}
}
