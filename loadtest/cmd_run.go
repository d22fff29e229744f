//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"gopkg.in/yaml.v3"
)

// flagsMain makes the run that flags describe.
func flagsMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := ParseConfig(args, stderr)
	return leadConfig(ctx, cfg, err, stdout, stderr)
}

// runMain makes the run that a scenario file describes: wsload run [flags]
// scenario.yaml [targets…].
func runMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := ParseRunConfig(args, stderr)
	return leadConfig(ctx, cfg, err, stdout, stderr)
}

// leadConfig makes the run, or says what is wrong with the configuration. The
// first SIGINT or SIGTERM closes the connections and reports, a second one ends
// everything at once.
func leadConfig(ctx context.Context, cfg Config, err error, stdout, stderr io.Writer) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return fail(stderr, exitUsage, err)
	case cfg.ShowVersion:
		fmt.Fprintln(stdout, "wsload", version)
		return exitOK
	case cfg.PrintScenario:
		return printScenario(cfg, stdout, stderr)
	}
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore)

	plan, err := newPlan(ctx, cfg)
	if err != nil {
		return fail(stderr, exitUsage, err)
	}
	if cfg.JSON == "-" { // nothing else may stand on standard output then
		plan.cfg.jsonOut, stdout = stdout, stderr
	}
	return lead(ctx, plan, stdout, stderr)
}

// printScenario writes the run that would be made as a scenario file.
func printScenario(cfg Config, stdout, stderr io.Writer) int {
	e := yaml.NewEncoder(stdout)
	e.SetIndent(2)
	if err := e.Encode(&cfg.Scenario); err != nil {
		return fail(stderr, exitFailed, fmt.Errorf("write the scenario: %w", err))
	}
	return exitOK
}
