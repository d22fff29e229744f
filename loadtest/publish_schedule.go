//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/message"
	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/scenario"
)

// outcome of one broadcast.
type outcome struct {
	index            uint32 // in the whole run
	sent             time.Time
	intended, actual time.Duration // since the schedule's start
	err              error
}

// publishings is what became of the broadcasts of a run. The leader owns it.
type publishings struct {
	engine.Published
	paces   report.Paces
	samples []report.Sample
}

// take notes an outcome of a phase. They come in order.
func (p *publishings) take(phase int, o outcome) {
	p.Sent = append(p.Sent, o.sent.UnixNano())
	p.paces.Of(report.PaceKey(phase, "broadcast")).Record(o.intended, o.actual)
	if o.err == nil {
		return
	}
	p.Failed = append(p.Failed, o.index)
	if len(p.samples) < report.SamplesPerClass {
		p.samples = append(p.samples, report.Sample{Class: "publish", Connection: -1, Error: fmt.Sprintf("broadcast %d: %v", o.index, o.err)})
	}
}

// confirmed is how many were taken.
func (p *publishings) confirmed() int64 { return int64(len(p.Sent) - len(p.Failed)) }

// publishAll publishes on schedule, one after the other so that their order is
// known, until all are out or ctx is done. The first one has the given index in
// the run. each is called after each.
func (p *plan) publishAll(ctx context.Context, b scenario.Broadcast, first int, start time.Time, each func(outcome)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := range b.Count {
		o := outcome{index: uint32(first + n), intended: time.Duration(float64(n) / b.Rate * float64(time.Second))}
		timer.Reset(time.Until(start.Add(o.intended)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		o.sent = time.Now()
		o.actual = o.sent.Sub(start)
		o.err = p.publish(ctx, b, o)
		each(o)
	}
}

// publish hands one broadcast to every publisher.
func (p *plan) publish(ctx context.Context, b scenario.Broadcast, o outcome) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	var failed error
	for _, pub := range p.publishers {
		m := message.Broadcast{Run: p.run, Channel: pub.Channel(), Sequence: o.index, Sent: time.Now()}
		if b.Channels > 1 {
			m.Channel = string(message.AppendChannel(nil, p.run, int(o.index)%b.Channels))
			m.Sequence = o.index / uint32(b.Channels)
		}
		failed = errors.Join(failed, pub.Publish(ctx, m.Channel, m.Text(b.Size)))
	}
	return failed
}
