//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// expectations returns what must hold: the defaults that follow from what the
// scenario does, with its own in place of those of their names. An error is about
// one of the scenario's own, as a *scenario.Problem.
func expectations(s *scenario.Scenario) ([]report.Expectation, error) {
	var byDefault, own []report.Expectation
	for _, text := range defaultExpectations(s) {
		e, err := report.ParseExpectation(text)
		if err != nil {
			return nil, fmt.Errorf("default expectation: %w", err)
		}
		byDefault = append(byDefault, e)
	}
	for i, text := range s.Expect {
		e, err := report.ParseExpectation(text)
		if err != nil {
			got := fmt.Sprintf("%q", text)
			return nil, &scenario.Problem{Key: fmt.Sprintf("expect[%d]", i), Got: got, Want: strings.TrimPrefix(err.Error(), got+": ")}
		}
		own = append(own, e)
	}
	return report.Override(byDefault, own), nil
}

func defaultExpectations(s *scenario.Scenario) []string {
	list := []string{"connected == planned", "workers_lost == 0", "agents_lost == 0", "generator.behind == 0"}
	has := struct{ churn, storm, stall, cutEcho bool }{cutEcho: s.Reconnect != nil}
	if s.Reconnect == nil {
		list = slices.Insert(list, 1, "closed_unexpected == 0")
	}
	var echoes []*scenario.Echo
	for _, p := range s.Phases {
		has.churn = has.churn || p.Churn != nil
		has.storm = has.storm || p.Storm != nil
		has.stall = has.stall || p.Stall != nil
		if p.Echo != nil {
			echoes = append(echoes, p.Echo)
			has.cutEcho = has.cutEcho || p.Storm != nil
		}
	}
	switch {
	case len(echoes) == 0:
	case has.cutEcho: // what was under way when a connection was cut has no answer
		list = append(list, "echo.timeout == 0")
	case len(echoes) == 1 && echoes[0].Rounds == 1:
		list = append(list, "echo.ok == planned")
	default:
		list = append(list, "echo.ok == echo.sent")
	}
	if len(echoes) > 0 {
		list = append(list, "echo.corrupted == 0", "echo.unexpected == 0")
	}
	has.storm = has.storm || s.Reconnect != nil
	list = append(list, broadcastExpectations(s, has.churn || has.storm || has.stall, has.storm)...)
	if has.storm || has.churn {
		list = append(list, "reconnect.ok == reconnect.cut")
	}
	return append(append(list, resumeExpectations(s)...), stallExpectations(s)...)
}

// broadcastExpectations are fewer where clients come and go, or stop reading.
func broadcastExpectations(s *scenario.Scenario, moving, storm bool) []string {
	count, channels := s.Broadcasts()
	if count == 0 {
		return nil
	}
	list := []string{fmt.Sprintf("broadcast.published == %d", count)}
	if channels == 1 && !moving {
		list = append(list, fmt.Sprintf("broadcast.delivered == %d", count*s.Connections))
	}
	lost := "broadcast.lost == 0"
	if storm && !s.Resume { // nothing in WebSocket itself brings what a client missed
		lost = "broadcast.lost == broadcast.missed_away"
	}
	return append(list, lost, "broadcast.duplicated == 0", "broadcast.reordered == 0", "broadcast.corrupted == 0",
		"broadcast.misrouted == 0", "broadcast.late == 0")
}

// resumeExpectations: everything that was missed comes, or nothing was. Where servers may
// go away, a connection may end before it has an answer.
func resumeExpectations(s *scenario.Scenario) (list []string) {
	if !s.Resume {
		return nil
	}
	names := []string{"too_old", "lost_told", "gaps_unknown", "skipped", "repeated", "inconsistent"}
	if s.Reconnect == nil {
		names = append(names, "unanswered")
	}
	for _, name := range names {
		list = append(list, "resume."+name+" == 0")
	}
	return list
}

func stallExpectations(s *scenario.Scenario) []string {
	for _, p := range s.Phases {
		if p.Stall != nil && p.Stall.ExpectClosed != nil {
			if *p.Stall.ExpectClosed {
				return []string{"stall.closed == stall.stalled"}
			}
			return []string{"stall.closed == 0"}
		}
	}
	return nil
}
