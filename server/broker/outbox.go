package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/position"
)

const (
	// outboxMessages and outboxBytes bound what waits to be published. A message
	// larger than that finds room when nothing else waits.
	outboxMessages = 32 << 10
	outboxBytes    = 64 << 20
	// batchMessages and batchBytes bound what goes out together.
	batchMessages = 512
	batchBytes    = 1 << 20
	// publishTimeout is how long a message waits at the most whose caller set no bound.
	publishTimeout = 5 * time.Second
)

var (
	errWaited  = errors.New("waited too long")
	errUnknown = errors.New("it may have been published all the same")
	errLate    = errors.New("a later message of the channel was published before it could be repeated")
)

// outbox publishes what callers everywhere give it: one writer takes all that waits, sends
// it together and answers each caller. So the order of calls is that of the messages.
type outbox struct {
	client  redis.UniversalClient
	name    string // of the server, for messages
	history History
	shards  *shards // of a cluster, else nil
	// buffer is how long messages are tried again while the server is away. They then
	// have ids, by which the server knows what it has already.
	buffer time.Duration
	stats  *Stats

	sender string         // begins the ids of this outbox
	ids    uint64         // owned by the writer, as is the following
	asking map[int]string // slots on their way, and who has their messages already

	backlog *backlog      // shared with other outboxes
	wake    chan struct{} // holds one token when the queue has calls
	mu      sync.Mutex    // guards the following
	queue   []*call
	closed  bool
}

// call is a message on its way out.
type call struct {
	channel  string
	payload  []byte
	deadline time.Time
	done     func(position.Position, error)
	taken    atomic.Bool // by the writer, or by a caller who no longer waits
	id       string      // set with the first try, if repeats are possible
}

func newOutbox(client redis.UniversalClient, name string, in *shards, cfg Config, shared *backlog, stats *Stats) *outbox {
	return &outbox{
		client: client, name: name, history: cfg.History, shards: in, buffer: cfg.PublishBuffer,
		backlog: shared, stats: stats, sender: rand.Text()[:16], wake: make(chan struct{}, 1),
	}
}

// put queues a message. done is called once, unless put fails or the call is taken back.
func (o *outbox) put(c *call) error {
	if o.shards != nil {
		if err := slotMismatch(c.channel); err != nil {
			o.stats.PublishErrors.Add(1)
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	size := int64(len(c.payload))
	switch {
	case o.closed:
		o.stats.PublishErrors.Add(1)
		return errNotRunning
	case len(o.queue) > 0 && (o.backlog.messages.Load() >= outboxMessages || o.backlog.bytes.Load()+size > outboxBytes):
		o.stats.PublishErrors.Add(1)
		return ErrBusy
	}
	o.queue = append(o.queue, c)
	o.backlog.messages.Add(1)
	o.backlog.bytes.Add(size)
	o.stats.Publishing.Add(1)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil
}

// publish puts a message and waits for its outcome.
func (o *outbox) publish(ctx context.Context, c *call) (position.Position, error) {
	type outcome struct {
		p   position.Position
		err error
	}
	result := make(chan outcome, 1)
	c.done = func(p position.Position, err error) { result <- outcome{p, err} }
	if err := o.put(c); err != nil {
		return position.Position{}, err
	}
	select {
	case r := <-result:
		return r.p, r.err
	case <-ctx.Done():
	}
	if c.taken.CompareAndSwap(false, true) {
		o.stats.PublishErrors.Add(1)
		return position.Position{}, fmt.Errorf("redis %s: publish: %w", o.name, ctx.Err())
	}
	select { // it is on its way: an outcome that is there is worth more than the deadline
	case r := <-result:
		return r.p, r.err
	default:
		return position.Position{}, fmt.Errorf("redis %s: publish: %w: %w", o.name, ctx.Err(), errUnknown)
	}
}

// run publishes what is put until ctx is done.
func (o *outbox) run(ctx context.Context) {
	defer o.close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		}
		for ctx.Err() == nil {
			batch := o.take()
			if len(batch) == 0 {
				break
			}
			o.send(ctx, batch)
		}
	}
}

// take returns the next calls that still want to be published.
func (o *outbox) take() []*call {
	o.mu.Lock()
	defer o.mu.Unlock()
	var batch []*call
	var size int64
	n := 0
	for _, c := range o.queue {
		if len(batch) == batchMessages || len(batch) > 0 && size+int64(len(c.payload)) > batchBytes {
			break
		}
		n++
		size += int64(len(c.payload))
		if c.taken.CompareAndSwap(false, true) {
			batch = append(batch, c)
		} else {
			o.stats.Publishing.Add(-1)
		}
	}
	clear(o.queue[:n])
	o.queue = o.queue[n:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	o.backlog.messages.Add(-int64(n))
	o.backlog.bytes.Add(-size)
	return batch
}

// close refuses what waits and what comes.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	for batch := o.take(); len(batch) > 0; batch = o.take() {
		for _, c := range batch {
			o.answer(c, position.Position{}, errNotRunning)
		}
	}
}

// answer tells the caller how it ended.
func (o *outbox) answer(c *call, p position.Position, err error) {
	o.stats.Publishing.Add(-1)
	if err != nil {
		o.stats.PublishErrors.Add(1)
		err = fmt.Errorf("redis %s: publish: %w", o.name, err)
	} else {
		o.stats.Published.Add(1)
	}
	if c.done != nil {
		c.done(p, err)
	}
}

// deadline is that of a message whose caller set none.
func (o *outbox) deadline() time.Time { return time.Now().Add(max(publishTimeout, o.buffer)) }
