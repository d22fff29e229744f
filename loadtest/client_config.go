//go:build linux

package main

import (
	"errors"
	"flag"
	"maps"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// clientFlags adds the flags that fill in c. Their defaults are what it holds.
func clientFlags(fs *flag.FlagSet, c *scenario.Client) {
	fs.Var(&headerFlag{headers: &c.Headers}, "header", "`line` for the handshake, such as 'Origin: https://example.com'; repeatable")
	fs.StringVar(&c.Subprotocol, "subprotocol", c.Subprotocol, "`names` of subprotocols to offer, separated by commas; the server must choose one")
	fs.StringVar(&c.Token, "token", c.Token, "token for the handshake; -token-file keeps it out of the process list")
	fs.StringVar(&c.TokenFile, "token-file", c.TokenFile, "`file` that holds the token")
	fs.StringVar(&c.TokenIn, "token-in", c.TokenIn, "where the token goes: header (Authorization: Bearer), query (access_token=) or subprotocol (bearer, the token)")
	fs.StringVar(&c.CA, "ca", c.CA, "`file` of the certificates that wss:// targets must lead to, in PEM form; empty for the system's")
	fs.BoolVar(&c.Resume, "resume", c.Resume, "ask for positions (?since=), and after a reconnect for what was missed")
	fs.BoolVar(&c.Insecure, "insecure", c.Insecure, "take any certificate of a wss:// target")
}

// headerFlag takes "Name: value". What is given replaces a header of the scenario, but
// may not be given twice.
type headerFlag struct {
	headers *map[string]string
	given   map[string]bool
}

// String implements flag.Value.
func (f *headerFlag) String() string { return "" }

// Set implements flag.Value.
func (f *headerFlag) Set(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return errors.New("want 'Name: value'")
	}
	if f.given[name] {
		return errors.New(name + " is there already")
	}
	if f.given == nil { // the map may be the scenario's: see there
		f.given, *f.headers = map[string]bool{}, maps.Clone(*f.headers)
	}
	if *f.headers == nil {
		*f.headers = map[string]string{}
	}
	f.given[name], (*f.headers)[name] = true, strings.TrimSpace(value)
	return nil
}
