//go:build linux

package main

import (
	"time"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// The leader and its workers exchange JSON lines over standard input and output.
// A worker ends when its standard input does, so it never outlives the leader. If
// the worker is on another host, an agent there hands the lines on: see greeting.go.

// command goes to a worker. The first one carries the configuration.
type command struct {
	Do        action            `json:"do"`
	Config    *engine.Config    `json:"config,omitempty"`
	Every     time.Duration     `json:"every_ns,omitempty"`  // between lines of progress
	Crowded   bool              `json:"crowded,omitempty"`   // hosts run more workers than they have CPUs
	At        int64             `json:"at,omitempty"`        // when to begin, Unix ns
	Number    int               `json:"number,omitempty"`    // of the phase, from 1
	Phase     *scenario.Phase   `json:"phase,omitempty"`     // for doPhase
	Late      time.Duration     `json:"late_ns,omitempty"`   // for doListen
	Published *engine.Published `json:"published,omitempty"` // for doFinish
}

type action string

const (
	doConfigure action = "configure"
	doRamp      action = "ramp"
	doListen    action = "listen" // to broadcasts
	doPhase     action = "phase"
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
	// AgentEnds comes from the worker's agent: it was told to end, and its workers with it.
	AgentEnds bool `json:"agent_ends,omitempty"`
}
