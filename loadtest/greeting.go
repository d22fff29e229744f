//go:build linux

package main

import (
	"encoding/json"
	"fmt"

	"github.com/wsfleet/wsfleet/loadtest/lifeline"
)

// Between leader and agent there are connections of two kinds, both of JSON lines.
// Each begins with the leader's greeting and the agent's answer.
//
//   - An inquiry: the answer has the host's facts; then each line of the leader
//     is answered with the agent's clock.
//   - A worker: once the answer has come, the connection is the worker's standard
//     input and output (see wire.go).

// maxGreeting bounds a greeting and an answer, in bytes: an inquiry names a few
// targets, its answer a few hundred source addresses each.
const maxGreeting = 1 << 20

// greeting is the first line on a connection to an agent.
type greeting struct {
	Version string    `json:"version"`
	Token   string    `json:"token,omitempty"`
	Inquiry *question `json:"inquiry,omitempty"`
	Worker  *request  `json:"worker,omitempty"`
}

// request is for a worker. It is for the agent's own knowledge: the worker gets its
// configuration as its first command.
type request struct {
	Run         string `json:"run"`
	Connections int    `json:"connections"`
}

// response is what the agent says to a greeting.
type response struct {
	Error string `json:"error,omitempty"`
	Facts *facts `json:"facts,omitempty"` // to an inquiry
	Now   int64  `json:"now,omitempty"`   // to a later line of an inquiry: Unix ns
}

// sendLine writes v as one line of JSON.
func sendLine(c *lifeline.Conn, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.Write(append(line, '\n'))
	return err
}

// receiveLine reads one line of JSON into v.
func receiveLine(c *lifeline.Conn, v any) error {
	line, err := c.ReadLine(maxGreeting)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%.40q is no line of wsload", line)
	}
	return nil
}
