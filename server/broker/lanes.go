package broker

import (
	"context"
	"sync"
	"sync/atomic"
)

// clusterLanes is how many outboxes share the slots of a cluster: so many that a primary
// that hangs or is away keeps few messages of others waiting.
const clusterLanes = 32

// lanes are the outboxes of a broker: one, or in a cluster one for each range of slots,
// whoever holds them. The messages of a channel are all in the same one, in their order.
type lanes []*outbox

// backlog counts what waits in all lanes.
type backlog struct {
	messages, bytes atomic.Int64
}

func newLanes(n int, make func(*backlog) *outbox) lanes {
	shared := &backlog{}
	var l lanes
	for range n {
		l = append(l, make(shared))
	}
	return l
}

// of returns the outbox of a channel.
func (l lanes) of(channel string) *outbox {
	if len(l) == 1 {
		return l[0]
	}
	return l[slotOf(channel)*len(l)/slots]
}

// run publishes what is put until ctx is done.
func (l lanes) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, o := range l {
		wg.Go(func() { o.run(ctx) })
	}
	wg.Wait()
}
