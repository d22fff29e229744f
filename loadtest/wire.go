//go:build linux

package main

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// The leader and its workers exchange JSON lines over standard input and output.
// A worker ends when its standard input does, so it never outlives the leader.

// command goes to a worker. The first one carries the configuration.
type command struct {
	Do        action         `json:"do"`
	Config    *engine.Config `json:"config,omitempty"`
	Every     time.Duration  `json:"every_ns,omitempty"` // between lines of progress
	At        int64          `json:"at,omitempty"`       // when to begin, Unix ns
	Published uint32         `json:"published,omitempty"`
	Failed    []uint32       `json:"failed,omitempty"` // sequence numbers whose publishing failed
}

type action string

const (
	doConfigure action = "configure"
	doRamp      action = "ramp"
	doEcho      action = "echo"
	doListen    action = "listen"
	doHold      action = "hold" // nothing but being there
	doClose     action = "close"
	doFinish    action = "finish" // send the result and end
)

// event comes from a worker.
type event struct {
	// Commands is how many commands the worker had taken when it looked.
	Commands int              `json:"commands"`
	Progress *engine.Progress `json:"progress,omitempty"`
	Result   *report.Counts   `json:"result,omitempty"` // the last event
	Error    string           `json:"error,omitempty"`  // the last event too
}
