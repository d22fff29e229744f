// Command bench measures wsnode beside servers written with other libraries, in turn
// on this machine, all with the same client (wsload), and writes the tables: memory of
// an idle connection, CPU of the server for each connection, echo, delivery and
// heartbeat, and how long an echo takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parseConfig(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wsfleet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &runner{
		wsnode: filepath.Join(cfg.root, "bin", "wsnode"),
		wsload: filepath.Join(cfg.root, "bin", "wsload"),
		peers:  filepath.Join(dir, "peers"),
		floor:  filepath.Join(dir, "floor"),
		report: filepath.Join(dir, "report.json"),

		patience: 30 * time.Second, watch: watchMachine,
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", dir, "./peers", "./floor")
	build.Stderr = stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the peers and the floor: %w", err)
	}
	d := document{args: args, rounds: cfg.rounds, machine: thisMachine(), peers: peerBlocks(cfg), scaling: scalingBlocks(cfg), floor: floorBlocks(cfg)}
	if d.servers, err = versions(r, cfg.servers); err != nil {
		return err
	}
	if err := runAll(ctx, r, newProgress(stderr), d.blocks()); err != nil {
		return fmt.Errorf("nothing is written: %w", err)
	}
	text := d.markdown()
	if cfg.out != "" {
		if err := os.WriteFile(cfg.out, text, 0o644); err != nil {
			return err
		}
	}
	_, err = stdout.Write(text)
	return err
}
