//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/server/access"
)

// Config of a node: defaults, then WSNODE_* of the environment, then flags.
type Config struct {
	Listen            string
	Admin             string
	Fanout            FanoutConfig
	Loops             int
	CPUs              string
	MaxConnections    int
	MemoryHigh        int // percent
	MemoryLow         int // percent
	HandshakeTimeout  time.Duration
	HandshakeLimit    int
	HeartbeatInterval time.Duration
	HeartbeatTimeout  time.Duration
	ReadLimit         int
	SendQueue         int
	ReceiveMemory     int
	Compression       bool
	Page              bool
	Handler           string
	DrainTime         time.Duration
	RetryAfter        time.Duration
	Origins           []string
	Access            AccessConfig
	LogFormat         string
	LogLevel          string
	Pprof             bool
	ShowVersion       bool
}

// ParseConfig reads the configuration. Errors name the flag or variable and the
// value it got. Usage goes to stderr.
func ParseConfig(args []string, lookupEnv func(string) (string, bool), stderr io.Writer) (Config, error) {
	var c Config
	fs := flag.NewFlagSet("wsnode", flag.ContinueOnError)
	fs.StringVar(&c.Listen, "listen", ":8765", "comma-separated `addresses` for WebSocket connections; a bare port means IPv4, whose sockets are cheaper")
	fs.StringVar(&c.Admin, "admin", ":8766", "`address` for health, metrics, publish and drain")
	c.Fanout.flags(fs)
	fs.IntVar(&c.Loops, "loops", runtime.GOMAXPROCS(0), "event loops")
	fs.StringVar(&c.CPUs, "cpus", "", "`CPUs` to bind the loops to in turn, such as 0,2,4; empty leaves them to the kernel")
	fs.IntVar(&c.MemoryHigh, "memory-high", 92, "`percent` of the memory limit (control group or machine) above which handshakes are refused")
	fs.IntVar(&c.MemoryLow, "memory-low", 85, "`percent` below which they are taken again; readiness fails from here on")
	fs.IntVar(&c.MaxConnections, "max-connections", 0, "connections to hold; 0 takes what the open-file limit allows")
	fs.DurationVar(&c.HandshakeTimeout, "handshake-timeout", 10*time.Second, "time for a client to send its handshake")
	fs.IntVar(&c.HandshakeLimit, "handshake-limit", 8<<10, "largest handshake, in `bytes`")
	fs.DurationVar(&c.HeartbeatInterval, "heartbeat-interval", 10*time.Second, "ping a client that sent no message for so long; 0 for never")
	fs.DurationVar(&c.HeartbeatTimeout, "heartbeat-timeout", 30*time.Second, "close when nothing came for so long")
	fs.IntVar(&c.ReadLimit, "read-limit", 1<<20, "largest message from a client, in `bytes`")
	fs.IntVar(&c.SendQueue, "send-queue", 256<<10, "`bytes` that may wait for a client before it is closed as a slow consumer")
	fs.StringVar(&c.Handler, "handler", "echo", "what becomes of messages: `one` of "+handlerNames())
	fs.BoolVar(&c.Page, "page", true, "answer GET / with a page for people, and GET /count with the number of connections")
	fs.IntVar(&c.ReceiveMemory, "receive-memory", 0, "`bytes` that messages which have not arrived whole may take in all; 0 for a sixteenth of the memory limit, at most 128 MiB")
	fs.BoolVar(&c.Compression, "compression", false, "accept permessage-deflate where clients offer it: less traffic, more CPU")
	fs.DurationVar(&c.DrainTime, "drain-time", 10*time.Second, "spread the closing of connections over so long on SIGTERM")
	fs.DurationVar(&c.RetryAfter, "retry-after", 5*time.Second, "what a refused client is told to wait")
	fs.Var(&listFlag{values: &c.Origins}, "origins", "`origins` that browsers may come from, such as https://app.example.com, https://*.example.com or http://localhost:*; none allows all")
	c.Access.flags(fs)
	fs.StringVar(&c.LogFormat, "log-format", "text", "text or json")
	fs.StringVar(&c.LogLevel, "log-level", "info", "debug, info, warn or error")
	fs.BoolVar(&c.Pprof, "pprof", false, "serve /debug/pprof on the admin address")
	fs.BoolVar(&c.ShowVersion, "version", false, "print the version and exit")

	fs.SetOutput(io.Discard)
	if err := applyEnv(fs, lookupEnv); err != nil {
		return c, err
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(fs, stderr)
			return c, err
		}
		return c, fmt.Errorf("%w (wsnode -help lists the flags)", err)
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q (wsnode -help lists the flags)", fs.Arg(0))
	}
	return c, c.Validate()
}

func usage(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprintln(w, "wsnode holds very many WebSocket connections.\n\nEach flag is also an environment variable: -drain-time is WSNODE_DRAIN_TIME.\n\nFlags:")
	fs.SetOutput(w)
	fs.PrintDefaults()
}

func envName(flagName string) string {
	return "WSNODE_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func applyEnv(fs *flag.FlagSet, lookupEnv func(string) (string, bool)) (err error) {
	fs.VisitAll(func(f *flag.Flag) {
		v, ok := lookupEnv(envName(f.Name))
		if !ok || err != nil {
			return
		}
		if setErr := fs.Set(f.Name, v); setErr != nil {
			err = fmt.Errorf("invalid value %q for %s: %w", v, envName(f.Name), setErr)
		}
		if list, ok := f.Value.(*listFlag); ok {
			list.reset = true
		}
	})
	return err
}

// Validate says which value can't be used, and why.
func (c *Config) Validate() error {
	for _, a := range c.listenAddresses() {
		if _, err := listenAddr(a); err != nil {
			return fmt.Errorf("-listen %q: %w", a, err)
		}
	}
	if _, err := c.cpuList(); err != nil {
		return err
	}
	if _, err := listenAddr(c.Admin); err != nil {
		return fmt.Errorf("-admin %q: %w", c.Admin, err)
	}
	for _, p := range []struct {
		name     string
		value    int
		min, max int
	}{
		{"loops", c.Loops, 1, 1024},
		{"max-connections", c.MaxConnections, 0, 1 << 30},
		{"memory-high", c.MemoryHigh, 2, 100},
		{"memory-low", c.MemoryLow, 1, c.MemoryHigh - 1},
		{"handshake-limit", c.HandshakeLimit, 256, 1 << 20},
		{"read-limit", c.ReadLimit, 1, 1 << 30},
		{"send-queue", c.SendQueue, 4 << 10, 1 << 30},
		{"receive-memory", c.ReceiveMemory, 0, 1 << 40},
	} {
		if p.value < p.min || p.value > p.max {
			return fmt.Errorf("-%s %d: want %d to %d", p.name, p.value, p.min, p.max)
		}
	}
	for _, p := range []struct {
		name  string
		value time.Duration
		min   time.Duration
	}{
		{"handshake-timeout", c.HandshakeTimeout, 100 * time.Millisecond},
		{"heartbeat-interval", c.HeartbeatInterval, 0},
		{"drain-time", c.DrainTime, 0},
		{"retry-after", c.RetryAfter, time.Second},
	} {
		if p.value < p.min {
			return fmt.Errorf("-%s %s: want %s or more", p.name, p.value, p.min)
		}
	}
	if c.HeartbeatInterval > 0 && c.HeartbeatTimeout <= c.HeartbeatInterval {
		return fmt.Errorf("-heartbeat-timeout %s: want more than -heartbeat-interval %s", c.HeartbeatTimeout, c.HeartbeatInterval)
	}
	if handlers[c.Handler] == nil {
		return fmt.Errorf("-handler %q: want one of %s", c.Handler, handlerNames())
	}
	if _, err := access.ParseOrigins(c.Origins); err != nil {
		return fmt.Errorf("-origins %w", err)
	}
	if err := c.Access.validate(); err != nil {
		return err
	}
	if err := c.Fanout.validate(); err != nil {
		return err
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("-log-format %q: want text or json", c.LogFormat)
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("-log-level %q: want debug, info, warn or error", c.LogLevel)
	}
	return nil
}

// listenAddr parses host:port; an empty host is 0.0.0.0.
func listenAddr(s string) (netip.AddrPort, error) {
	if strings.HasPrefix(s, ":") {
		s = "0.0.0.0" + s
	}
	s = strings.Replace(s, "localhost:", "127.0.0.1:", 1)
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return a, errors.New("want :port or address:port")
	}
	return a, nil
}

// listenAddresses splits -listen: more than one port lifts the bound of some 28,000
// connections that one client address can have to one port.
func (c *Config) listenAddresses() []string { return strings.Split(c.Listen, ",") }

// cpuList parses -cpus.
func (c *Config) cpuList() ([]int, error) {
	if c.CPUs == "" {
		return nil, nil
	}
	var list []int
	for _, field := range strings.Split(c.CPUs, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 0 || n >= 1024 {
			return nil, fmt.Errorf("-cpus %q: %q is not the number of a CPU", c.CPUs, field)
		}
		list = append(list, n)
	}
	return list, nil
}
