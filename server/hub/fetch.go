//go:build linux

package hub

import (
	"context"
	"errors"
	"sync"

	"github.com/wsfleet/wsfleet/server/position"
)

// maxFetches is how many pages are fetched at once: those who return after an outage
// must not be an attack on the server of the history.
const maxFetches = 8

// errNoHistory is why there is nothing to fetch.
var errNoHistory = errors.New("no history is kept")

// fetcher gets pages of history for all shards. Who asks for the same one shares it,
// and nobody costs a goroutine while waiting for a turn.
type fetcher struct {
	backfill func(ctx context.Context, channel string, since, until position.Position) (Page, error)
	stats    *Stats
	ctx      context.Context
	cancel   context.CancelFunc
	working  sync.WaitGroup

	mu      sync.Mutex // guards the following
	fetches map[request]*fetch
	queue   []*fetch
	workers int
}

// request is what is fetched.
type request struct {
	channel      string
	since, until position.Position
}

type fetch struct {
	request
	waiting []waiter
}

type waiter struct {
	shard *Shard
	c     *catchUp
}

func (f *fetcher) init(backfill func(context.Context, string, position.Position, position.Position) (Page, error), stats *Stats) {
	f.backfill, f.stats = backfill, stats
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.fetches = make(map[request]*fetch)
}

// ask fetches what c needs next and gives it to Shard.fetched, on the loop of s.
func (f *fetcher) ask(s *Shard, c *catchUp) {
	c.until = c.topic.last
	if f.backfill == nil {
		s.fetched(c, Page{TooOld: errNoHistory}, nil)
		return
	}
	r := request{c.topic.channel, c.since, c.until}
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.fetches[r]; one != nil {
		one.waiting = append(one.waiting, waiter{s, c})
		return
	}
	one := &fetch{r, []waiter{{s, c}}}
	f.fetches[r] = one
	f.queue = append(f.queue, one)
	if f.workers < maxFetches && f.ctx.Err() == nil {
		f.workers++
		f.working.Go(f.work)
	}
}

// work fetches as long as there is something to fetch.
func (f *fetcher) work() {
	for {
		one := f.next()
		if one == nil {
			return
		}
		page, err := f.backfill(f.ctx, one.channel, one.since, one.until)
		if err != nil {
			f.stats.PageErrors.Add(1)
		} else if page.TooOld == nil {
			f.stats.Pages.Add(1)
		}
		for _, w := range f.done(one) {
			w.shard.loop.Post(func() { w.shard.fetched(w.c, page, err) })
		}
	}
}

func (f *fetcher) next() *fetch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 || f.ctx.Err() != nil {
		f.workers--
		return nil
	}
	one := f.queue[0]
	f.queue[0], f.queue = nil, f.queue[1:]
	return one
}

// done returns who waited for one.
func (f *fetcher) done(one *fetch) []waiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.fetches, one.request)
	return one.waiting
}

// close ends the fetches and waits for them.
func (f *fetcher) close() {
	f.mu.Lock()
	f.cancel()
	f.mu.Unlock()
	f.working.Wait()
}
