//go:build linux

package main

import (
	"errors"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// reconnectFlag takes the time within which clients come back; the rest of the
// scenario's key stays as it is.
type reconnectFlag struct{ reconnect **scenario.Reconnect }

// String implements flag.Value.
func (f *reconnectFlag) String() string { return "" }

// Set implements flag.Value.
func (f *reconnectFlag) Set(text string) error {
	within, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 5s")
	}
	var r scenario.Reconnect
	r.SetDefaults()
	if *f.reconnect != nil { // the scenario's, which another run of the flags may need as it is
		r = **f.reconnect
	}
	r.Within, r.GiveUp = within, max(r.GiveUp, within)
	*f.reconnect = &r
	return nil
}
