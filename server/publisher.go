//go:build linux

package main

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/wsfleet/wsfleet/server/broker"
)

const (
	// publishLanes is how many messages may be on their way to the broker at
	// once. Those of one channel take the same lane and keep their order.
	publishLanes = 8
	// publishQueue is how many messages may wait in a lane.
	publishQueue = 1024
	// publishQueueBytes is what may wait in all lanes together. A message
	// larger than that is taken when nothing else waits.
	publishQueueBytes = 16 << 20
)

// publisher carries messages from the loops to the broker, which may be slow: the
// loops never wait for it. What finds no room is dropped and counted.
type publisher struct {
	broker  broker.Broker
	seed    maphash.Seed
	lanes   [publishLanes]chan publication
	waiting atomic.Int64 // bytes in all lanes
	dropped atomic.Uint64
}

type publication struct {
	channel string
	payload []byte
}

func newPublisher(b broker.Broker) *publisher {
	p := &publisher{broker: b, seed: maphash.MakeSeed()}
	for i := range p.lanes {
		p.lanes[i] = make(chan publication, publishQueue)
	}
	return p
}

// publish queues a copy of payload for channel and returns at once. Safe from any
// goroutine; the messages of one are published in the order of its calls.
func (p *publisher) publish(channel string, payload []byte) {
	n := int64(len(payload))
	if waiting := p.waiting.Add(n); waiting <= publishQueueBytes || waiting == n {
		select {
		case p.lanes[maphash.String(p.seed, channel)%publishLanes] <- publication{channel, bytes.Clone(payload)}:
			return
		default:
		}
	}
	p.waiting.Add(-n)
	p.dropped.Add(1)
}

// run publishes what is queued until ctx is done.
func (p *publisher) run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, lane := range p.lanes {
		wg.Go(func() { p.work(ctx, lane) })
	}
	wg.Wait()
	return nil
}

func (p *publisher) work(ctx context.Context, lane <-chan publication) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-lane:
			timed, cancel := context.WithTimeout(ctx, publishTimeout)
			_, _ = p.broker.Publish(timed, m.channel, m.payload) // the broker counts its errors
			cancel()
			p.waiting.Add(-int64(len(m.payload)))
		}
	}
}
