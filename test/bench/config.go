package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// allServers in the order of the table: wsnode, then its peers (see ./peers).
var allServers = []string{"wsnode", "gorilla", "gws", "nbio", "gobwas", "coder"}

// spareFiles is what a server or client opens beside its connections.
const spareFiles = 500

// The parts, each with a document of its own.
const (
	libraries = "libraries" // wsnode beside its peers
	fanout    = "broker"    // channels of a wsnode with Redis
	sustained = "sustained" // broadcasts for as long and as often as the machine carries
)

type config struct {
	part    string
	root    string
	servers []string
	cells   []cell
	scaling []int  // connections
	floor   []cell // of the table on what a delivery can't do without
	rounds  int
	out     string

	connections int           // of the parts about the broker
	channels    []int         // to spread them over
	rate        float64       // broadcasts a second; 0 to look for the highest
	minute      time.Duration // for which that rate must hold
}

// cell is one place of the table: how many connections, and what they send.
type cell struct {
	connections int
	size        int // bytes of an echo and of a broadcast
}

func (c cell) String() string { return fmt.Sprintf("%dx%d", c.connections, c.size) }

// title is the cell as people read it.
func (c cell) title() string {
	return fmt.Sprintf("%s connections, messages of %s", thousands(c.connections), bytesText(c.size))
}

// wsnode and wsload are built by make build.
func (c config) wsnode() string { return filepath.Join(c.root, "bin", "wsnode") }
func (c config) wsload() string { return filepath.Join(c.root, "bin", "wsload") }

func parseConfig(args []string, stderr io.Writer) (config, error) {
	var c config
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.root, "root", "../..", "the clone, with bin/wsnode and bin/wsload built")
	fs.StringVar(&c.part, "part", libraries, "`part` to measure: libraries (wsnode beside peers), broker (channels through Redis) or sustained (broadcasts at the highest rate that holds)")
	servers := fs.String("servers", strings.Join(allServers, ","), "`servers` to measure, comma-separated; none leaves them out")
	cells := fs.String("cells", "1000x128,1000x4096,19000x128,19000x4096", "`cells` of the table: connections x bytes of a message, comma-separated")
	scaling := fs.String("scaling", "1000,5000,19000", "`connections` of the table on wsnode's loops, comma-separated; none leaves it out")
	floor := fs.String("floor", "19000x128", "`cells` of the table on the floor of a delivery, comma-separated; none leaves it out")
	fs.IntVar(&c.connections, "connections", 0, "of -part broker and sustained: connections of the node; 0 for 10000 and 19000")
	channels := fs.String("channels", "1,100,10000", "of -part broker: `numbers` of channels that the connections are spread over, comma-separated")
	fs.Float64Var(&c.rate, "rate", 0, "of -part sustained: broadcasts per second; 0 looks for the highest rate that holds")
	fs.DurationVar(&c.minute, "for", time.Minute, "of -part sustained: how long the rate must hold")
	fs.IntVar(&c.rounds, "rounds", 3, "times that each server is measured, in turn with the others; the median is shown")
	fs.StringVar(&c.out, "out", "", "also write the document to this `file`")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	var err error
	if c.root, err = filepath.Abs(c.root); err != nil {
		return c, err
	}
	if c.servers, err = parseServers(*servers); err != nil {
		return c, fmt.Errorf("-servers %q: %w", *servers, err)
	}
	if c.rounds < 1 {
		return c, fmt.Errorf("-rounds %d: want 1 or more", c.rounds)
	}
	if c.cells, err = parseCells(*cells); err != nil {
		return c, fmt.Errorf("-cells %q: %w", *cells, err)
	}
	if err := c.completeBroker(*channels); err != nil {
		return c, err
	}
	if c.floor, err = parseCells(*floor); err != nil {
		return c, fmt.Errorf("-floor %q: %w", *floor, err)
	}
	if c.scaling, err = parseScaling(*scaling); err != nil {
		return c, fmt.Errorf("-scaling %q: %w", *scaling, err)
	}
	return c, nil
}

func parseServers(s string) ([]string, error) {
	if s == "none" {
		return nil, nil
	}
	list := strings.Split(s, ",")
	for _, name := range list {
		if !slices.Contains(allServers, name) {
			return nil, fmt.Errorf("%q is none of %s", name, strings.Join(allServers, ", "))
		}
	}
	return list, nil
}

func parseCells(s string) (cells []cell, err error) {
	if s == "none" {
		return nil, nil
	}
	for _, field := range strings.Split(s, ",") {
		connections, size, ok := strings.Cut(field, "x")
		if !ok {
			return nil, fmt.Errorf("%q: want connections x bytes, such as 1000x128", field)
		}
		var c cell
		if c.connections, err = parseConnections(connections); err != nil {
			return nil, err
		}
		// wsload needs 128 bytes for what makes a broadcast its own.
		if c.size, err = strconv.Atoi(size); err != nil || c.size < 128 || c.size > 256<<10 {
			return nil, fmt.Errorf("%q: want 128 to 262144 bytes", size)
		}
		cells = append(cells, c)
	}
	return cells, nil
}

func parseScaling(s string) (list []int, err error) {
	if s == "none" {
		return nil, nil
	}
	for _, field := range strings.Split(s, ",") {
		n, err := parseConnections(field)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// parseConnections refuses more than one process can hold: client and server are one
// process each.
func parseConnections(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number of connections", s)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, errors.New("the open-file limit can't be read: " + err.Error())
	}
	if room := int(min(limit.Max, 1<<30)) - spareFiles; n > room {
		return 0, fmt.Errorf("%d connections: a process may open %d files here, which is enough for %d", n, limit.Max, room)
	}
	return n, nil
}
