package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/position"
)

// idKept is how much longer than it may be repeated the server knows the id of a message.
const idKept = time.Minute

// redirectionsMax is how often in a row a message follows where members of a cluster send
// it, before that counts as a failure.
const redirectionsMax = 5

// send publishes a batch. It returns when each of its calls has been answered.
func (o *outbox) send(ctx context.Context, batch []*call) {
	var cause error // why the last try failed
	waited, loaded, redirections := false, false, 0
	for backoff := backoffMin; ; backoff = min(2*backoff, backoffMax) {
		if batch = o.expire(batch, cause); len(batch) == 0 {
			return
		}
		now, later := batch, []*call(nil)
		if waited {
			now, later = firstOfEach(batch)
		}
		rest, err := o.try(ctx, now)
		if batch = append(rest, later...); len(batch) == 0 {
			return
		}
		if cause = err; cause == nil {
			backoff, waited = backoffMin, false
			continue
		}
		if libraryMissing(err) && !loaded {
			loaded = true
			if err = loadLibrary(ctx, o.client); err == nil {
				continue
			}
			cause = err
		}
		if _, ok := redirected(cause, ""); ok && redirections < redirectionsMax {
			redirections++
			continue // transmit knows now where to
		}
		if o.buffer == 0 || ctx.Err() != nil {
			o.refuse(batch, cause)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff/2 + rand.N(backoff/2)):
		}
		waited, loaded, redirections = true, false, 0
	}
}

// firstOfEach takes the first message of each channel out of a batch. After a wait they go
// alone: a server that begins to take messages in the midst of many would take the
// later ones only.
func firstOfEach(batch []*call) (first, later []*call) {
	seen := make(map[string]bool)
	for _, c := range batch {
		if seen[c.channel] {
			later = append(later, c)
		} else {
			seen[c.channel] = true
			first = append(first, c)
		}
	}
	return first, later
}

// refuse answers calls that were not published.
func (o *outbox) refuse(batch []*call, cause error) {
	for _, c := range batch {
		o.answer(c, position.Position{}, cause)
	}
}

// expire refuses calls that have waited too long, in batch and in the queue, and returns
// the others of batch.
func (o *outbox) expire(batch []*call, cause error) []*call {
	now := time.Now()
	late := func(c *call) error {
		if now.Before(c.deadline) {
			return nil
		}
		if cause != nil {
			return fmt.Errorf("%w: %w", errWaited, cause)
		}
		return errWaited
	}
	kept := batch[:0]
	for _, c := range batch {
		if err := late(c); err != nil {
			o.answer(c, position.Position{}, err)
		} else {
			kept = append(kept, c)
		}
	}
	if cause == nil {
		return kept
	}
	o.mu.Lock()
	queued := append([]*call(nil), o.queue...)
	o.mu.Unlock()
	for _, c := range queued {
		if err := late(c); err != nil && c.taken.CompareAndSwap(false, true) {
			o.stats.Publishing.Add(1) // take counts it down again
			o.answer(c, position.Position{}, err)
		}
	}
	return kept
}

// try publishes a batch once and answers those calls whose outcome is settled. The others
// may be tried again, and the error says why they must.
func (o *outbox) try(ctx context.Context, batch []*call) (rest []*call, cause error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	replies := o.transmit(ctx, batch)
	// From the end: what comes before a message that was published can't be repeated.
	settled := make(map[string]bool)
	outcomes := make([]outcome, len(batch))
	for i := len(batch) - 1; i >= 0; i-- {
		result := &outcomes[i]
		result.p, result.err = published(replies[i])
		switch c := batch[i]; {
		case result.err == nil:
			settled[c.channel] = true
		case !o.again(result.err):
			if !isServerError(result.err) && !errors.Is(result.err, errUnclaimed) {
				result.err = fmt.Errorf("%w: %w", result.err, errUnknown)
			}
		case settled[c.channel]:
			result.err = fmt.Errorf("%w: %w", result.err, errLate)
		default:
			result.again, cause = true, result.err
		}
	}
	for i, c := range batch {
		if outcomes[i].again {
			rest = append(rest, c)
		} else {
			o.answer(c, outcomes[i].p, outcomes[i].err)
		}
	}
	return rest, cause
}

type outcome struct {
	p     position.Position
	err   error
	again bool // it isn't settled
}

// again reports whether a message may be tried again after err.
func (o *outbox) again(err error) bool {
	if _, ok := redirected(err, ""); ok || libraryMissing(err) {
		return true
	}
	if o.buffer == 0 {
		return false
	}
	if !isServerError(err) {
		return true // its id makes that harmless
	}
	for _, p := range []string{
		"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "OOM", "MISCONF",
		"NOAUTH", "WRONGPASS",
	} {
		if redis.HasErrorPrefix(err, p) {
			return true
		}
	}
	return false
}

// published reads the server's answer.
func published(reply redis.Cmder) (position.Position, error) {
	text, err := reply.(*redis.Cmd).Text()
	if err != nil {
		return position.Position{}, err
	}
	return position.Parse(text)
}

// transmit sends each message of a batch once and returns the reply to each.
func (o *outbox) transmit(ctx context.Context, batch []*call) []redis.Cmder {
	o.identify(batch)
	if o.shards != nil {
		return o.transmitByShard(ctx, batch)
	}
	replies, _ := o.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range batch {
			o.queueCommand(ctx, p, c)
		}
		return nil
	})
	return replies // which have their errors
}

// identify names the messages that may be sent again, by which the server knows what it has.
func (o *outbox) identify(batch []*call) {
	if o.buffer == 0 {
		return
	}
	for _, c := range batch {
		if c.id == "" {
			o.ids++
			c.id = historyKey(c.channel) + ":" + o.sender + strconv.FormatUint(o.ids, 36)
		}
	}
}

// queueCommand is called for several servers at the same time, and changes nothing of o.
func (o *outbox) queueCommand(ctx context.Context, p redis.Pipeliner, c *call) {
	keys := []string{historyKey(c.channel)}
	sharded := "0"
	if o.shards != nil {
		sharded = "1"
	}
	args := []any{c.channel, c.payload, o.history.Length, o.history.Age.Milliseconds(), sharded}
	if o.buffer > 0 {
		keys = append(keys, c.id)
		args = append(args, (o.buffer + idKept).Milliseconds())
	}
	p.FCall(ctx, "wsfleet_publish", keys, args...)
}
