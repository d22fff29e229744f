//go:build linux

// Command talk lets many clients talk on the channels of a wsnode that relays what they
// say (-handler relay), and times each message from its publisher until the last of its
// channel's members has it. Every message is compared byte for byte, and must come once
// and in order. It has one thread and spends little on each message, so that on one
// machine most of the CPU is left to what it measures.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "talk:", err)
		os.Exit(1)
	}
}

// config of a run.
type config struct {
	target      netip.AddrPort
	connections int
	channels    int
	size        int           // of a message, in bytes
	window      int           // messages under way at the same time, if there is no rate
	rate        float64       // messages a second; 0 for as many as come through
	warm, last  time.Duration // before and while it is measured
	report      string        // file
}

func parseConfig(args []string, stderr io.Writer) (config, error) {
	var c config
	fs := flag.NewFlagSet("talk", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&c.connections, "connections", 100, "connections")
	fs.IntVar(&c.channels, "channels", 1, "channels; connection i is a member of channel i mod channels, and the first one of each publishes on it")
	fs.IntVar(&c.size, "size", 128, "size of a message in `bytes`")
	fs.IntVar(&c.window, "window", 16, "messages that are under way at the same time, on all channels in turn")
	fs.Float64Var(&c.rate, "rate", 0, "messages per second, whatever is under way; 0 goes by -window")
	fs.DurationVar(&c.warm, "warm", time.Second, "time to talk before anything is measured")
	fs.DurationVar(&c.last, "for", 5*time.Second, "time to measure")
	fs.StringVar(&c.report, "json", "", "write the report to this `file`")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() != 1 {
		return c, fmt.Errorf("want talk [flags] address:port, got %q", fs.Args())
	}
	var err error
	if c.target, err = netip.ParseAddrPort(fs.Arg(0)); err != nil {
		return c, fmt.Errorf("%q: want address:port: %w", fs.Arg(0), err)
	}
	switch {
	case c.channels < 1 || c.connections < c.channels:
		return c, fmt.Errorf("-channels %d: want 1 to as many as there are -connections (%d)", c.channels, c.connections)
	case c.size < numberSize || c.size > 1<<20:
		return c, fmt.Errorf("-size %d: want %d to %d", c.size, numberSize, 1<<20)
	case c.window < 1:
		return c, fmt.Errorf("-window %d: want 1 or more", c.window)
	case c.rate < 0:
		return c, fmt.Errorf("-rate %g: want 0 or more", c.rate)
	}
	return c, nil
}

// report is what was measured. Times are seconds.
type report struct {
	Seconds    float64 // for which it was measured
	Published  int     // messages of which the last delivery came in that time
	Deliveries int     // in that time
	P50, P99   float64 // from publishing to the last delivery
}

func run(args []string, stdout, stderr io.Writer) error {
	cfg, err := parseConfig(args, stderr)
	if err != nil {
		return err
	}
	loop, err := netpoll.New(netpoll.Config{MaxQueue: 16 << 20})
	if err != nil {
		return err
	}
	t := newTalk(cfg, loop)
	ended := make(chan error, 1)
	go func() { ended <- loop.Run() }()
	rep, err := t.direct(stdout)
	loop.Stop()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d messages and %d deliveries in %.1f s, p50 %.2f ms, p99 %.2f ms\n",
		rep.Published, rep.Deliveries, rep.Seconds, 1e3*rep.P50, 1e3*rep.P99)
	if cfg.report == "" {
		return nil
	}
	raw, err := json.Marshal(rep)
	if err != nil {
		return err
	}
	return os.WriteFile(cfg.report, raw, 0o644)
}
