//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// Config of a run. The one-letter flags are those of websocket-bench.
type Config struct {
	Connections int
	Rate        float64
	Workers     int
	Keep        bool
	Hold        time.Duration
	Source      string
	Timeout     time.Duration

	Echo      bool
	EchoSize  int
	EchoReply string
	EchoRate  float64

	Broadcasts          int
	BroadcastRate       float64
	BroadcastSize       int
	Publish             []string
	PublishPasswordFile string

	Close     string
	CloseRate float64

	Expect      []string
	JSON        string
	Seed        uint64
	Verbose     bool
	ShowVersion bool
	Targets     []string

	expectations []report.Expectation
	jsonOut      io.Writer // for -json -
}

// maxConnections bounds -a: a connection's number has ten digits in an echo
// request.
const maxConnections = 100_000_000

// ParseConfig reads the command line. Errors name the flag and the value it got.
func ParseConfig(args []string, stderr io.Writer) (Config, error) {
	var c Config
	fs := flag.NewFlagSet("wsload", flag.ContinueOnError)
	fs.IntVar(&c.Connections, "a", 100, "connections to open")
	fs.Float64Var(&c.Rate, "c", 1000, "connections to open per second")
	fs.IntVar(&c.Workers, "w", 0, "worker processes; more are started if the open-file limit demands it; 0 for as many as needed")
	fs.BoolVar(&c.Keep, "k", false, "keep the connections open until interrupted")
	fs.DurationVar(&c.Hold, "hold", 0, "keep the connections open for so long")
	fs.StringVar(&c.Source, "source", "auto", "source `addresses`: a comma-separated list of addresses and CIDRs, or auto")
	fs.DurationVar(&c.Timeout, "timeout", 30*time.Second, "time for each of: connecting, handshake, echo, last broadcast")
	fs.BoolVar(&c.Echo, "echo", true, "send a message on every connection and compare the reply")
	fs.IntVar(&c.EchoSize, "echo-size", 128, "size of the message in `bytes`")
	fs.StringVar(&c.EchoReply, "echo-reply", "Server received: {{.}}", "`template` of the reply")
	fs.Float64Var(&c.EchoRate, "echo-rate", 0, "messages per second; 0 for the rate of -c")
	fs.IntVar(&c.Broadcasts, "broadcasts", 0, "broadcasts to publish once all are connected")
	fs.Float64Var(&c.BroadcastRate, "broadcast-rate", 1, "broadcasts per second")
	fs.IntVar(&c.BroadcastSize, "broadcast-size", message.MinBroadcastSize, "size of a broadcast in `bytes`")
	fs.Func("publish", "`URL` to publish at: http://host:8766/publish?channel=broadcast, or redis://host:6379/0?channel=broadcast;\nrepeat it for nodes without a common broker", appendTo(&c.Publish))
	fs.StringVar(&c.PublishPasswordFile, "publish-password-file", "", "`file` that holds the password of the Redis")
	fs.StringVar(&c.Close, "close", "handshake", "how to end the connections: handshake, or abort with a reset")
	fs.Float64Var(&c.CloseRate, "close-rate", 0, "connections to close per second; 0 for ten times the rate of -c")
	fs.Func("expect", "what must hold, such as 'connected == 10000' or 'echo.p99 < 250ms'; repeatable; replaces the default of that name", appendTo(&c.Expect))
	fs.StringVar(&c.JSON, "json", "", "write the report to this `file`; - for standard output")
	fs.Uint64Var(&c.Seed, "seed", 0, "seed of keys, masks and message contents; 0 for a random one")
	fs.BoolVar(&c.Verbose, "verbose", false, "show the first failures of each class in full, and all expectations")
	fs.BoolVar(&c.ShowVersion, "version", false, "print the version and exit")

	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(fs, stderr)
			return c, err
		}
		return c, fmt.Errorf("%w (wsload -help lists the flags)", err)
	}
	c.Targets = fs.Args()
	if c.ShowVersion {
		return c, nil
	}
	c.setDerived()
	return c, c.Validate()
}

func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

func usage(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprint(w, "wsload opens very many WebSocket connections and proves what reached them.\n\n"+
		"Usage: wsload [flags] ws://host:port/path [more targets…]\n\nFlags:\n")
	fs.SetOutput(w)
	fs.PrintDefaults()
}

func (c *Config) setDerived() {
	if c.EchoRate == 0 {
		c.EchoRate = c.Rate
	}
	if c.CloseRate == 0 {
		c.CloseRate = min(10*c.Rate, 10e6)
	}
}

// Validate says which value can't be used, and why. It also parses what is
// parsed once.
func (c *Config) Validate() error {
	if len(c.Targets) == 0 {
		return errors.New("no target: want wsload [flags] ws://host:port/path (wsload -help lists the flags)")
	}
	for _, t := range c.Targets {
		if strings.HasPrefix(t, "-") {
			return fmt.Errorf("%q comes after the target: flags go before it", t)
		}
	}
	if err := c.validateNumbers(); err != nil {
		return err
	}
	if c.Keep && c.Hold > 0 {
		return fmt.Errorf("-hold %s: -k already keeps the connections until interrupted", c.Hold)
	}
	if _, err := message.ParseTemplate(c.EchoReply); err != nil {
		return fmt.Errorf("-echo-reply %q: %w", c.EchoReply, err)
	}
	if c.Close != "handshake" && c.Close != "abort" {
		return fmt.Errorf("-close %q: want handshake or abort", c.Close)
	}
	if c.Broadcasts > 0 && len(c.Publish) == 0 {
		return fmt.Errorf("-broadcasts %d: want -publish too, to say where", c.Broadcasts)
	}
	if c.Broadcasts == 0 && len(c.Publish) > 0 {
		return fmt.Errorf("-publish %q: want -broadcasts too, to say how many", c.Publish[0])
	}
	return c.parseExpectations()
}

func (c *Config) validateNumbers() error {
	for _, p := range []struct {
		name     string
		value    int
		min, max int
	}{
		{"a", c.Connections, 1, maxConnections},
		{"w", c.Workers, 0, maxWorkers},
		{"echo-size", c.EchoSize, message.MinEchoSize, 512 << 10},
		{"broadcasts", c.Broadcasts, 0, 1_000_000},
		{"broadcast-size", c.BroadcastSize, message.MinBroadcastSize, 512 << 10},
	} {
		if p.value < p.min || p.value > p.max {
			return fmt.Errorf("-%s %d: want %d to %d", p.name, p.value, p.min, p.max)
		}
	}
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"c", c.Rate}, {"echo-rate", c.EchoRate}, {"broadcast-rate", c.BroadcastRate}, {"close-rate", c.CloseRate},
	} {
		if !(p.value >= 0.001 && p.value <= 10e6) { // so that NaN fails too
			return fmt.Errorf("-%s %v: want 0.001 to 10000000 per second", p.name, p.value)
		}
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > time.Hour {
		return fmt.Errorf("-timeout %s: want 100ms to 1h", c.Timeout)
	}
	if c.Hold < 0 {
		return fmt.Errorf("-hold %s: want 0 or more", c.Hold)
	}
	return nil
}

// parseExpectations puts those given in place of the defaults of their names.
func (c *Config) parseExpectations() error {
	defaults := []string{
		"connected == planned", "closed_unexpected == 0", "workers_lost == 0", "generator.behind == 0",
	}
	if c.Echo {
		defaults = append(defaults, "echo.ok == planned", "echo.corrupted == 0", "echo.unexpected == 0")
	}
	if c.Broadcasts > 0 {
		defaults = append(defaults,
			fmt.Sprintf("broadcast.published == %d", c.Broadcasts),
			fmt.Sprintf("broadcast.delivered == %d", c.Broadcasts*c.Connections),
			"broadcast.lost == 0", "broadcast.duplicated == 0", "broadcast.reordered == 0", "broadcast.corrupted == 0")
	}
	parse := func(texts []string) (list []report.Expectation, err error) {
		for _, text := range texts {
			e, err := report.ParseExpectation(text)
			if err != nil {
				return nil, fmt.Errorf("-expect %w", err)
			}
			list = append(list, e)
		}
		return list, nil
	}
	byDefault, err := parse(defaults)
	if err != nil {
		return err
	}
	own, err := parse(c.Expect)
	if err != nil {
		return err
	}
	c.expectations = report.Override(byDefault, own)
	return nil
}
