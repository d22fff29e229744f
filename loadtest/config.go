//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// Config is a scenario, and what belongs to this run of it.
type Config struct {
	scenario.Scenario

	Workers        int
	Source         string
	Agents         []string // host:port
	AgentTokenFile string
	JSON           string
	HTML           string
	NodeMetrics    []string
	Metrics        string
	Verbose        bool
	ShowVersion    bool
	PrintScenario  bool

	expectations []report.Expectation
	jsonOut      io.Writer // for -json -
}

// runFlags adds the flags that every run has, whatever describes it.
func (c *Config) runFlags(fs *flag.FlagSet) {
	fs.IntVar(&c.Workers, "w", 0, "worker processes, on each agent if there are any; more are started if the open-file limit demands it; 0 for as many as needed")
	fs.StringVar(&c.Source, "source", "auto", "source `addresses`: a comma-separated list of addresses and CIDRs, or auto")
	c.agentFlags(fs)
	fs.StringVar(&c.JSON, "json", "", "write the report to this `file`; - for standard output")
	fs.StringVar(&c.HTML, "html", "", "write the report to this `file` as a page with charts")
	fs.Func("node-metrics", "`URL` of a server's Prometheus metrics, to show its memory, CPU and connections over time; repeatable", appendTo(&c.NodeMetrics))
	fs.StringVar(&c.Metrics, "metrics", "", "`address` to serve Prometheus metrics of the run on, such as :9101")
	fs.BoolVar(&c.Verbose, "verbose", false, "show the first failures of each class in full, and all expectations")
	fs.BoolVar(&c.PrintScenario, "print-scenario", false, "print the run as a scenario file, and make none")
	fs.BoolVar(&c.ShowVersion, "version", false, "print the version and exit")
}

// scenarioFlags adds those that describe the simple parts of a scenario. Their
// defaults are what c holds.
func (c *Config) scenarioFlags(fs *flag.FlagSet) {
	fs.IntVar(&c.Connections, "a", c.Connections, "connections to open")
	fs.Float64Var(&c.Connect.Rate, "c", c.Connect.Rate, "connections to open per second")
	fs.StringVar(&c.Connect.Schedule, "schedule", c.Connect.Schedule, "gaps between connections and between messages: `even`, or poisson as independent clients have them")
	fs.DurationVar(&c.Timeout, "timeout", c.Timeout, "time for each of: connecting, handshake, echo, last broadcast")
	clientFlags(fs, &c.Client)
	fs.Var(&reconnectFlag{&c.Reconnect}, "reconnect", "`time` up to which clients come back, each after a random one, that lose their connection; without it they stay away")
	fs.Func("publish", "`URL` to publish at: http://host:8766/publish?channel=broadcast, or redis://host:6379/0?channel=broadcast;\nrepeat it for nodes without a common broker", appendTo(&c.Publish.URLs))
	fs.StringVar(&c.Publish.PasswordFile, "publish-password-file", c.Publish.PasswordFile, "`file` that holds the password of the Redis")
	fs.StringVar(&c.Close.How, "close", c.Close.How, "how to end the connections: handshake, or abort with a reset")
	fs.Float64Var(&c.Close.Rate, "close-rate", c.Close.Rate, "connections to close per second; 0 for ten times the rate of -c")
	fs.Func("expect", "what must hold, such as 'connected == 10000' or 'echo.p99 < 250ms'; repeatable; replaces the default of that name", appendTo(&c.Expect))
	fs.Uint64Var(&c.Seed, "seed", c.Seed, "seed of keys, masks, message contents and random times; 0 for a random one")
}

// flagOf names the flag that stands for a key of the scenario.
var flagOf = map[string]string{
	"connections": "a", "connect.rate": "c", "connect.schedule": "schedule", "timeout": "timeout",
	"publish.urls": "publish", "publish.password_file": "publish-password-file",
	"close.how": "close", "close.rate": "close-rate", "expect": "expect",
	"phases.echo.rate": "echo-rate", "phases.echo.rounds": "echo-rounds", "phases.echo.for": "echo-for",
	"phases.echo.size": "echo-size", "phases.echo.reply": "echo-reply", "phases.echo.schedule": "schedule",
	"phases.echo.message": "message", "phases.echo.message_file": "message-file", "phases.echo.binary": "echo-binary",
	"headers": "header", "subprotocol": "subprotocol", "token": "token", "token_file": "token-file", "token_in": "token-in",
	"ca": "ca", "insecure": "insecure", "resume": "resume", "reconnect": "reconnect",
	"phases.broadcast.count": "broadcasts", "phases.broadcast.rate": "broadcast-rate",
	"phases.broadcast.size": "broadcast-size", "phases.broadcast.channels": "broadcast-channels",
	"phases.hold.for": "hold",
}

// ParseConfig reads a run from flags. Errors name the flag and the value it got.
func ParseConfig(args []string, stderr io.Writer) (Config, error) {
	c := Config{Scenario: scenario.Default()}
	var phases phaseFlags
	fs := flag.NewFlagSet("wsload", flag.ContinueOnError)
	c.runFlags(fs)
	c.scenarioFlags(fs)
	phases.add(fs)
	err := parseFlags(fs, args, stderr, "wsload opens very many WebSocket connections and proves what reached them.\n\n"+
		"Usage: wsload [flags] ws[s]://host:port/path [more targets…]\n"+
		"       wsload run [flags] scenario.yaml [targets…]   (wsload run -help)\n"+
		"       wsload agent [flags]                           (wsload agent -help)\n"+
		"       wsload compare a.json b.json\n"+
		"       wsload report -o report.html run.json\n")
	if err != nil || c.ShowVersion {
		return c, err
	}
	c.Targets = fs.Args()
	if c.Phases, err = phases.phases(c.Connect.Schedule); err != nil {
		return c, err
	}
	return c, c.complete(func(err error) error {
		var p *scenario.Problem
		if errors.As(err, &p) {
			return errors.New(p.AsFlag(flagOf))
		}
		return err
	})
}

// ParseRunConfig reads a run from a scenario file and the flags that override it.
// Errors name the line and the key.
func ParseRunConfig(args []string, stderr io.Writer) (Config, error) {
	c := Config{Scenario: scenario.Default()}
	fs := flag.NewFlagSet("wsload run", flag.ContinueOnError)
	c.runFlags(fs)
	c.scenarioFlags(fs)
	err := parseFlags(fs, args, stderr, "wsload run makes the run that a scenario file describes; flags that are given override it.\n\n"+
		"Usage: wsload run [flags] scenario.yaml [ws://host:port/path…]\n")
	if err != nil || c.ShowVersion {
		return c, err
	}
	if fs.NArg() == 0 {
		return c, errors.New("no scenario: want wsload run [flags] scenario.yaml [targets…] (wsload run -help lists the flags)")
	}
	file, err := scenario.Load(fs.Arg(0))
	if err != nil {
		return c, err
	}
	// The same flags once more, now over what the file says.
	c = Config{Scenario: file.Scenario}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["publish"] {
		c.Publish.URLs = nil
	}
	if given["c"] {
		c.Connect.Steps = nil
	}
	fs = flag.NewFlagSet("wsload run", flag.ContinueOnError)
	c.runFlags(fs)
	c.scenarioFlags(fs)
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if targets := fs.Args()[1:]; len(targets) > 0 {
		c.Targets = targets
	}
	return c, c.complete(func(err error) error {
		var p *scenario.Problem
		if errors.As(err, &p) && given[flagOf[p.Key]] {
			return errors.New(p.AsFlag(flagOf))
		}
		return file.Explain(err)
	})
}

func parseFlags(fs *flag.FlagSet, args []string, stderr io.Writer, usage string) error {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, usage+"\nFlags:\n")
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		return err
	}
	if err != nil {
		return fmt.Errorf("%w (%s -help lists the flags)", err, fs.Name())
	}
	return nil
}

func appendTo(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(slices.Clip(*list), s)
		return nil
	}
}

// complete fills in what follows from the rest and says which value can't be used,
// and why. explain puts an error in terms of where the scenario came from.
func (c *Config) complete(explain func(error) error) error {
	if len(c.Targets) == 0 {
		return errors.New("no target: want wsload [flags] ws://host:port/path (wsload -help lists the flags)")
	}
	for _, t := range c.Targets {
		if strings.HasPrefix(t, "-") {
			return fmt.Errorf("%q comes after the target: flags go before it", t)
		}
	}
	c.Complete()
	if err := c.Validate(); err != nil {
		return explain(err)
	}
	if err := c.validateAgents(); err != nil {
		return err
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		return fmt.Errorf("-w %d: want 0 to %d", c.Workers, maxWorkers)
	}
	var err error
	if c.expectations, err = expectations(&c.Scenario); err != nil {
		return explain(err)
	}
	return nil
}

// phaseFlags are those of the phases that flags can describe: an echo round,
// broadcasts and a hold, one after the other.
type phaseFlags struct {
	echo      scenario.Echo
	broadcast scenario.Broadcast
	withEcho  bool
	keep      bool
	hold      time.Duration
}

func (p *phaseFlags) add(fs *flag.FlagSet) {
	p.echo.SetDefaults()
	p.broadcast.SetDefaults()
	fs.BoolVar(&p.keep, "k", false, "keep the connections open until interrupted")
	fs.DurationVar(&p.hold, "hold", 0, "keep the connections open for so long")
	fs.BoolVar(&p.withEcho, "echo", true, "send a message on every connection and compare the reply")
	fs.IntVar(&p.echo.Size, "echo-size", p.echo.Size, "size of the message in `bytes`")
	fs.StringVar(&p.echo.Message, "message", p.echo.Message, "`template` of the message; {{.}} is text that no other message has")
	fs.StringVar(&p.echo.MessageFile, "message-file", "", "`file` of such templates, one a line, taken in turn")
	fs.StringVar(&p.echo.Reply, "echo-reply", p.echo.Reply, "`template` of the reply; {{.}} is the message, {{.Unique}} only the unique text in it")
	fs.BoolVar(&p.echo.Binary, "echo-binary", false, "send the messages as binary ones, and want such replies")
	fs.Float64Var(&p.echo.Rate, "echo-rate", 0, "messages per second; 0 for the rate of -c")
	fs.IntVar(&p.echo.Rounds, "echo-rounds", 0, "messages on every connection; 0 for one, or for as many as -echo-for takes")
	fs.DurationVar(&p.echo.For, "echo-for", 0, "go on with messages for so long, over the connections in turn")
	fs.IntVar(&p.broadcast.Count, "broadcasts", 0, "broadcasts to publish once all are connected")
	fs.Float64Var(&p.broadcast.Rate, "broadcast-rate", p.broadcast.Rate, "broadcasts per second")
	fs.IntVar(&p.broadcast.Size, "broadcast-size", p.broadcast.Size, "size of a broadcast in `bytes`")
	fs.IntVar(&p.broadcast.Channels, "broadcast-channels", p.broadcast.Channels, "channels to publish on in turn; each connection listens to one of them")
}

func (p *phaseFlags) phases(schedule string) (phases []scenario.Phase, err error) {
	if p.withEcho {
		p.echo.Schedule = schedule
		phases = append(phases, scenario.Phase{Echo: &p.echo})
	}
	if p.broadcast.Count != 0 {
		phases = append(phases, scenario.Phase{Broadcast: &p.broadcast})
	}
	switch {
	case p.keep && p.hold != 0:
		return nil, fmt.Errorf("-hold %s: -k already keeps the connections until interrupted", p.hold)
	case p.keep:
		phases = append(phases, scenario.Phase{Hold: &scenario.Hold{}})
	case p.hold != 0:
		phases = append(phases, scenario.Phase{Hold: &scenario.Hold{For: p.hold}})
	}
	return phases, nil
}
