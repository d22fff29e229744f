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
		wsnode: cfg.wsnode(), wsload: cfg.wsload(),
		talk:     filepath.Join(dir, "talk"),
		peers:    filepath.Join(dir, "peers"),
		floor:    filepath.Join(dir, "floor"),
		report:   filepath.Join(dir, "report.json"),
		patience: 30 * time.Second, watch: watchMachine,
	}
	if err := r.build(ctx, cfg, stderr); err != nil {
		return err
	}
	text, err := measurePart(ctx, r, cfg, args, stderr)
	if err != nil {
		return fmt.Errorf("nothing is written: %w", err)
	}
	if cfg.out != "" {
		if err := os.WriteFile(cfg.out, text, 0o644); err != nil {
			return err
		}
	}
	_, err = stdout.Write(text)
	return err
}

// build makes the programs that are not of make build.
func (r *runner) build(ctx context.Context, cfg config, stderr io.Writer) error {
	for _, b := range []struct {
		dir  string
		args []string
	}{
		{".", []string{"./peers", "./floor"}},
		{cfg.root, []string{"./test/talk"}},
	} {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", filepath.Dir(r.report)}, b.args...)...)
		cmd.Dir, cmd.Stderr = b.dir, stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build %v: %w", b.args, err)
		}
	}
	return nil
}

// measurePart makes the measurements of the part that was asked for and returns its page.
func measurePart(ctx context.Context, r *runner, cfg config, args []string, stderr io.Writer) (text []byte, err error) {
	d := document{args: args, rounds: cfg.rounds, machine: thisMachine()}
	page := d.markdown
	servers := []string{"wsnode"}
	switch cfg.part {
	case fanout:
		d.fanout, page = fanoutBlocks(cfg), d.fanoutDocument
	case sustained:
		rate, err := findRate(ctx, r, cfg, func(text string) { fmt.Fprintln(stderr, text) })
		if err != nil {
			return nil, err
		}
		d.sustained, page = sustainedBlock(cfg, rate), d.sustainedDocument
	default:
		servers = cfg.servers
		d.peers, d.scaling, d.floor = peerBlocks(cfg), scalingBlocks(cfg), floorBlocks(cfg)
	}
	if d.servers, err = versions(r, servers); err != nil {
		return nil, err
	}
	if err := runAll(ctx, r, newProgress(stderr), d.blocks()); err != nil {
		return nil, err
	}
	if d.sustained != nil && len(d.sustained.rows[0].runs) == 0 {
		return nil, errors.New("the rate did not hold in any round")
	}
	return page(), nil
}
