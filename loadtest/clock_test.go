//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/lifeline"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// An agent whose clock is a day off, and whose network is slow except for once.
func TestClockIsThatOfTheFastestRound(t *testing.T) {
	t.Parallel()
	const ahead, slow = -24 * time.Hour, 400 * time.Millisecond
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	failed := make(chan error, 1)
	go func() {
		raw, err := ln.Accept()
		if err != nil {
			failed <- err
			return
		}
		conn := lifeline.New(raw)
		defer conn.Close()
		var g greeting
		err = receiveLine(conn, &g)
		for i := -1; err == nil && i < clockRounds; i++ {
			a := response{Facts: &facts{CPUs: 3}}
			if i >= 0 {
				err = receiveLine(conn, &g)
				a = response{Now: time.Now().Add(ahead).UnixNano()}
			}
			if i != 4 { // the answer is late: the middle of the round is not its time
				time.Sleep(slow)
			}
			if err == nil {
				err = sendLine(conn, a)
			}
		}
		failed <- err
	}()
	h := &host{agent: ln.Addr().String()}
	require.NoError(t, h.survey(t.Context(), question{}))
	require.NoError(t, <-failed)
	require.Equal(t, 3, h.facts.CPUs)
	require.Positive(t, h.roundTrip)
	require.Less(t, h.roundTrip, slow, "that of a slow round")
	require.InDelta(t, ahead.Seconds(), h.ahead.Seconds(), h.roundTrip.Seconds()/2+1e-6)
}

// A schedule is announced in the leader's time, which is a day behind the worker's.
func TestSchedulesBeginByTheLeadersClock(t *testing.T) {
	t.Parallel()
	const ahead = 24 * time.Hour
	url, _ := (&faulty{}).start(t)
	var cfg Config
	cfg.Targets = []string{url}
	targets, err := resolveTargets(t.Context(), cfg, nil)
	require.NoError(t, err)
	share := engine.Config{
		Total: 10, Stride: 1, Hosts: 1, ClockAhead: ahead, Targets: targets, Timeout: time.Minute,
		Connect: scenario.Connect{Rate: 100}, Close: scenario.Close{How: scenario.Abort, Rate: 100},
	}
	var out bytes.Buffer
	w := &worker{out: json.NewEncoder(&out)}
	commands := make(chan command)
	ended := make(chan error, 1)
	go func() { ended <- w.run(commands) }()
	commands <- command{Do: doConfigure, Config: &share, Every: time.Millisecond}
	at := time.Now().Add(startDelay - ahead).UnixNano()
	commands <- command{Do: doRamp, At: at}
	require.Eventually(t, func() bool {
		p, ok := w.engine.Snapshot(false)
		return ok && p.Connected == 10
	}, time.Minute, 10*time.Millisecond)
	commands <- command{Do: doFinish}
	require.NoError(t, <-ended)
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	var last event
	require.NoError(t, json.Unmarshal(lines[len(lines)-1], &last))
	require.NotNil(t, last.Result)
	require.Less(t, last.Result.ConnectLatency.Percentiles().Max, time.Minute.Seconds())
}
