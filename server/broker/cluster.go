package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// clusterTick is how often the members are asked who holds which slot while something
	// is wrong.
	clusterTick = 250 * time.Millisecond
	// clusterRefresh is how often they are asked though nothing seems wrong: a primary
	// that was replaced may hang with its connections open. It is also how long the last
	// messages of such a primary are waited for.
	clusterRefresh = 5 * time.Second
)

var errUnclaimed = errors.New("nobody holds its slot")

// clusterLinks subscribes to the channels of a node at the primaries of a cluster that hold
// their slots, over one link for each. A channel moves to another link when its server says
// that the slot has left, which it does after everything that it had to send; or when the
// link fails and the slot turns out to have another primary.
type clusterLinks struct {
	shards  *shards
	wanted  *interest
	newLink func(addr string, in *interest) *link
	wake    chan struct{} // holds one token when left has slots

	mu      sync.Mutex       // guards the following
	homes   map[string]*home // by address
	left    map[int]string   // slots that a link's server said are not its own, and its address
	problem error            // why not every channel has a link

	// What follows is owned by run.
	placed map[string]placement // by channel
	strays map[int]time.Time    // since when slots seem to be elsewhere than their channels' link
	wg     sync.WaitGroup
}

// home is where some channels are subscribed.
type home struct {
	link     *link
	interest *interest
	channels int // owned by run
	end      context.CancelFunc
}

// placement is what the link at addr was told of a channel.
type placement struct {
	number uint64 // of the subscription
	slot   int
	addr   string
}

func newClusterLinks(s *shards, wanted *interest, newLink func(string, *interest) *link) *clusterLinks {
	return &clusterLinks{
		shards: s, wanted: wanted, newLink: newLink, wake: make(chan struct{}, 1), problem: errNotSubscribed,
		homes: make(map[string]*home), left: make(map[int]string),
		placed: make(map[string]placement), strays: make(map[int]time.Time),
	}
}

// run implements subscriptions.
func (c *clusterLinks) run(ctx context.Context) {
	defer c.shards.close()
	defer c.wg.Wait()
	tick := time.NewTicker(clusterTick)
	defer tick.Stop()
	var asked time.Time
	for ask, changed := true, true; ; {
		left, from := c.takeLeft()
		since := time.Since(asked)
		if ask || len(left) > 0 || since > clusterRefresh || since > clusterTick && c.ready() != nil {
			c.setProblem(c.shards.refresh(ctx, from))
			asked, changed = time.Now(), true
		}
		if changed {
			c.place(ctx, left)
		}
		ask, changed = false, false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.wake:
		case <-c.shards.stale:
			ask = time.Since(asked) > clusterTick
		case <-c.wanted.changed:
			changed = true
		}
	}
}

// place gives each channel to the link of the primary that holds it. There is a link for
// each primary from the start: a new channel does not wait for one.
func (c *clusterLinks) place(ctx context.Context, left map[int]string) {
	primaries := c.shards.primaries()
	for addr := range primaries {
		c.at(ctx, addr)
	}
	wanted := c.wanted.all()
	for channel, p := range c.placed {
		if wanted[channel] != p.number || left[p.slot] == p.addr || c.strayed(p) {
			h := c.homes[p.addr]
			h.channels--
			h.interest.remove(channel)
			delete(c.placed, channel)
		}
	}
	for channel, number := range wanted {
		if _, ok := c.placed[channel]; ok {
			continue
		}
		p := placement{number: number, slot: slotOf(channel)}
		if p.addr = c.shards.owner(p.slot); p.addr == "" {
			c.setProblem(fmt.Errorf("channel %.100q: %w", channel, errUnclaimed))
			continue
		}
		h := c.at(ctx, p.addr)
		h.channels++
		h.interest.add(channel, number)
		c.placed[channel] = p
	}
	for addr, h := range c.homes {
		if h.channels == 0 && !primaries[addr] {
			h.end()
			c.mu.Lock()
			delete(c.homes, addr)
			c.mu.Unlock()
		}
	}
}

// strayed reports whether a channel must be subscribed elsewhere though its link did not
// say so: because that fails, or does not tell.
func (c *clusterLinks) strayed(p placement) bool {
	if owner := c.shards.owner(p.slot); owner == p.addr || owner == "" {
		delete(c.strays, p.slot)
		return false
	}
	since, known := c.strays[p.slot]
	if !known {
		since = time.Now()
		c.strays[p.slot] = since
	}
	return c.homes[p.addr].link.ready() != nil || time.Since(since) > clusterRefresh
}

// at returns the link of the primary at addr.
func (c *clusterLinks) at(ctx context.Context, addr string) *home {
	if h := c.homes[addr]; h != nil {
		return h
	}
	h := &home{interest: newInterest()}
	h.link = c.newLink(addr, h.interest)
	h.link.sharded, h.link.revoked = true, func(slot int) { c.leave(slot, addr) }
	ctx, h.end = context.WithCancel(ctx)
	c.mu.Lock()
	c.homes[addr] = h
	c.mu.Unlock()
	c.wg.Go(func() { h.link.run(ctx) })
	return h
}

// leave notes that the member at addr said that a slot is not its own.
func (c *clusterLinks) leave(slot int, addr string) {
	c.mu.Lock()
	c.left[slot] = addr
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// takeLeft returns what leave noted, and one of the members that said so: it knows who
// has the slot now, while others may not have heard of it.
func (c *clusterLinks) takeLeft() (left map[int]string, from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left, c.left = c.left, make(map[int]string)
	for _, from = range left {
		break
	}
	return left, from
}

func (c *clusterLinks) setProblem(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = err
}

// ready implements subscriptions.
func (c *clusterLinks) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.homes {
		if err := h.link.ready(); err != nil {
			return err
		}
	}
	return c.problem
}
