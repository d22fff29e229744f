package broker

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// route is where some messages of a batch go together.
type route struct {
	addr  string
	ask   bool  // with ASKING before each: the slot is on its way to addr
	calls []int // indexes in the batch
}

// transmitByShard sends each message of a batch once, to the primary that holds its slot,
// and returns the reply to each. Whatever it learns of the slots counts for the next time.
func (o *outbox) transmitByShard(ctx context.Context, batch []*call) []redis.Cmder {
	replies := make([]redis.Cmder, len(batch))
	var wg sync.WaitGroup
	routes := o.routes(batch)
	for _, r := range routes {
		wg.Go(func() { o.transmitTo(ctx, r, batch, replies) })
	}
	wg.Wait()
	for _, r := range routes {
		for _, i := range r.calls {
			o.learn(replies[i].Err(), r.addr)
		}
	}
	return replies
}

// routes sorts a batch by where its messages go, and forgets what held for once only.
func (o *outbox) routes(batch []*call) (routes []*route) {
	type destination struct {
		addr string
		ask  bool
	}
	known := make(map[destination]*route)
	for i, c := range batch {
		slot := slotOf(c.channel)
		d := destination{addr: o.shards.owner(slot)}
		if addr, ok := o.asking[slot]; ok {
			d = destination{addr, true}
		}
		r := known[d]
		if r == nil {
			r = &route{addr: d.addr, ask: d.ask}
			known[d], routes = r, append(routes, r)
		}
		r.calls = append(r.calls, i)
	}
	o.asking = nil
	return routes
}

func (o *outbox) transmitTo(ctx context.Context, r *route, batch []*call, replies []redis.Cmder) {
	if r.addr == "" {
		for _, i := range r.calls {
			replies[i] = redis.NewCmd(ctx)
			replies[i].SetErr(errUnclaimed)
		}
		return
	}
	step := 1
	cmds, _ := o.shards.client(r.addr).Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, i := range r.calls {
			if r.ask {
				step = 2
				p.Do(ctx, "ASKING")
			}
			o.queueCommand(ctx, p, batch[i])
		}
		return nil
	})
	for n, i := range r.calls {
		replies[i] = cmds[n*step+step-1]
	}
}

// learn draws from a reply of the member at addr what it says of slots.
func (o *outbox) learn(err error, addr string) {
	switch r, ok := redirected(err, addr); {
	case err == nil:
	case ok && r.ask:
		if o.asking == nil {
			o.asking = make(map[int]string)
		}
		o.asking[r.slot] = r.addr
	case ok:
		o.shards.move(r.slot, r.addr)
	case !isServerError(err), redis.HasErrorPrefix(err, "READONLY"), redis.HasErrorPrefix(err, "CLUSTERDOWN"):
		o.shards.doubt()
	}
}
