//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/lifeline"
)

const (
	// agentTimeout is how long an agent may take to be reached, and to answer.
	agentTimeout = 10 * time.Second
	// clockRounds is how often an agent is asked for its clock. The round with the
	// shortest way counts: its error is at most half of that way.
	clockRounds = 10
)

// remote is a worker behind an agent.
type remote struct{ *lifeline.Conn }

func (r remote) kill() { r.Close() } // the agent kills it then

// wait returns why the connection ended: what ended Read.
func (r remote) wait(err error) error {
	r.Close()
	return err
}

// greetAgent connects to an agent and returns its answer to g.
func greetAgent(ctx context.Context, address string, g greeting) (*lifeline.Conn, response, error) {
	var a response
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil, a, fmt.Errorf("it can't be reached within %s", agentTimeout)
		}
		return nil, a, lifeline.Reason(err)
	}
	conn := lifeline.New(raw)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err = sendLine(conn, g); err == nil {
		err = receiveLine(conn, &a)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		err = ctx.Err()
	case ctx.Err() != nil:
		err = fmt.Errorf("no answer within %s: is it a wsload agent?", agentTimeout)
	case err == nil && a.Error != "":
		err = errors.New(a.Error)
	}
	if err != nil {
		conn.Close()
		return nil, a, err
	}
	return conn, a, nil
}

// inquire asks the agent of h for its facts and its clock.
func (h *host) inquire(ctx context.Context, q question) error {
	conn, a, err := greetAgent(ctx, h.agent, greeting{Version: version, Token: h.token, Inquiry: &q})
	if err != nil {
		return err
	}
	defer conn.Close()
	if a.Facts == nil || len(a.Facts.Sources) != len(q.Destinations) {
		return errors.New("its answer has no facts: is it a wsload agent?")
	}
	h.facts = *a.Facts
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for i := range clockRounds {
		sent := time.Now()
		if _, err := conn.Write([]byte("{}\n")); err != nil {
			return err
		}
		var clock response
		if err := receiveLine(conn, &clock); err != nil {
			return err
		}
		if way := time.Since(sent); i == 0 || way < h.roundTrip {
			h.roundTrip = way
			h.ahead = time.Unix(0, clock.Now).Sub(sent.Add(way / 2))
		}
	}
	return nil
}

// startRemote starts a worker at the agent of h.
func (h *host) startRemote(ctx context.Context, r request) (link, error) {
	conn, _, err := greetAgent(ctx, h.agent, greeting{Version: version, Token: h.token, Worker: &r})
	if err != nil {
		return nil, err
	}
	return remote{conn}, nil
}

// agentFlags adds those about the hosts that make the load.
func (c *Config) agentFlags(fs *flag.FlagSet) {
	fs.Func("agents", "`hosts` that make the load, each running 'wsload agent': a comma-separated list of host or host:port", func(list string) (err error) {
		c.Agents, err = parseAgents(list)
		return err
	})
	fs.StringVar(&c.AgentTokenFile, "agent-token-file", "", "`file` that holds what the agents want to be told (their -token-file)")
}

// parseAgents splits -agents into addresses with a port.
func parseAgents(list string) ([]string, error) {
	var agents []string
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		name, port, err := net.SplitHostPort(item)
		if err != nil { // no port
			name, port = strings.Trim(item, "[]"), agentPort
			if _, err := netip.ParseAddr(name); err != nil && strings.ContainsAny(name, ":[]") {
				return nil, fmt.Errorf("%q: want host or host:port", item)
			}
		}
		if name == "" || port == "" {
			return nil, fmt.Errorf("%q: want host or host:port", item)
		}
		agents = append(agents, net.JoinHostPort(name, port))
	}
	return agents, nil
}

func (c *Config) validateAgents() error {
	for i, agent := range c.Agents {
		if slices.Contains(c.Agents[:i], agent) {
			return fmt.Errorf("-agents: %s is there twice", agent)
		}
	}
	if len(c.Agents) > c.Connections {
		return fmt.Errorf("-agents: %d agents for %d connections: want one for each at least", len(c.Agents), c.Connections)
	}
	if c.AgentTokenFile != "" && len(c.Agents) == 0 {
		return fmt.Errorf("-agent-token-file %s: want -agents too", c.AgentTokenFile)
	}
	return nil
}
