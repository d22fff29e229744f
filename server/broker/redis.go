package broker

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/position"
)

// startTimeout is how long the first contact with Redis may take.
const startTimeout = 5 * time.Second

// queueDefault is Config.Queue where none is given, in bytes.
const queueDefault = 64 << 20

// subscriptions are those at the servers behind one URL: a link for a single one, one for
// each primary of a cluster. All feed the same intake.
type subscriptions interface {
	// run keeps the channels of the interest subscribed until ctx is done.
	run(ctx context.Context)
	// ready returns nil while messages of all channels flow, else why they don't.
	ready() error
}

// Redis is a broker over Redis: Pub/Sub brings messages, with one subscription for each
// channel of the node, and the function library keeps their history.
//
// Redis replicates asynchronously: a primary acknowledges a message before its replica has
// it. If the primary then dies for good, the messages that the replica had not received, of
// the last milliseconds as a rule, are gone although Publish returned their positions. Nodes
// that were subscribed have most likely delivered them, and go on with what the new primary
// takes. Who was not can't be told: the new primary counts on from what it has, in another
// epoch, and nothing names what it never saw. All that the replica had is recovered, or
// counted exactly. A primary that comes back with its data (AOF) loses nothing but what
// appendfsync lets it.
//
// In a cluster messages of one goroutine keep their order within each channel only.
type Redis struct {
	client   redis.UniversalClient
	name     string // of the server, for messages
	kind     topology
	shards   *shards // of a cluster, else nil
	stats    Stats
	history  *redisHistory
	interest *interest
	intake   *intake
	lanes    lanes
	seq      *sequencer
	subs     subscriptions

	mu     sync.Mutex // guards number, and orders what interest and intake are told
	number uint64     // of the last subscription
}

// quiet drops go-redis' own log lines: every failure also comes back as an error.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) }

// NewRedis returns a broker for the servers that cfg names; see New.
func NewRedis(cfg Config) (*Redis, error) {
	t, err := parseTarget(cfg)
	if err != nil {
		return nil, err
	}
	client := t.client()
	if cfg.Queue == 0 {
		cfg.Queue = queueDefault
	}
	r := &Redis{client: client, name: t.name, kind: t.topology, interest: newInterest()}
	r.history = &redisHistory{client: client, name: t.name, bounds: cfg.History}
	r.intake = newIntake(int64(cfg.Queue), &r.stats)
	n := 1
	if t.topology == cluster {
		r.shards, n = newShards(t.options), clusterLanes
	}
	r.lanes = newLanes(n, func(shared *backlog) *outbox {
		return newOutbox(client, t.name, r.shards, cfg, shared, &r.stats)
	})
	var mend reader
	if cfg.History.Length > 0 {
		mend = r.history.read
	}
	r.seq = newSequencer(r.intake, &r.stats, mend)
	r.subs = newSubscriptions(t, r)
	return r, nil
}

// Run implements Broker. It fails if Redis can't be reached at the start, or is too old.
func (r *Redis) Run(ctx context.Context, receiver Receiver) error {
	defer r.client.Close()
	start, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := r.greet(start); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("redis %s: %w", r.name, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { r.subs.run(ctx) })
	wg.Go(func() { r.lanes.run(ctx) })
	wg.Go(func() { r.seq.run(ctx, receiver) })
	wg.Wait()
	return nil
}

// greet makes the first contact with the servers.
func (r *Redis) greet(ctx context.Context) error {
	if err := checkServer(ctx, r.client, r.kind); err != nil {
		return err
	}
	if err := loadLibrary(ctx, r.client); err != nil {
		return err
	}
	if r.shards != nil {
		return r.shards.refresh(ctx, "")
	}
	return nil
}

// Subscribe implements Broker.
func (r *Redis) Subscribe(channel string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interest.number(channel) != 0 {
		return
	}
	r.number++
	r.intake.control(event{kind: eventSubscribe, channel: channel, number: r.number})
	r.interest.add(channel, r.number)
	r.stats.Subscriptions.Add(1)
}

// Unsubscribe implements Broker.
func (r *Redis) Unsubscribe(channel string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interest.number(channel) == 0 {
		return
	}
	r.interest.remove(channel)
	r.intake.control(event{kind: eventUnsubscribe, channel: channel})
	r.stats.Subscriptions.Add(-1)
}

// Publish implements Broker.
func (r *Redis) Publish(ctx context.Context, channel string, payload []byte) (position.Position, error) {
	lane := r.lanes.of(channel)
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = lane.deadline()
	}
	return lane.publish(ctx, &call{channel: channel, payload: bytes.Clone(payload), deadline: deadline})
}

// PublishLater implements Broker.
func (r *Redis) PublishLater(channel string, payload []byte, done func(position.Position, error)) error {
	lane := r.lanes.of(channel)
	return lane.put(&call{channel: channel, payload: payload, deadline: lane.deadline(), done: done})
}

// History implements Broker.
func (r *Redis) History(ctx context.Context, channel string, since, until position.Position, limit int) ([]Message, bool, error) {
	return historyOf(ctx, r.history.read, channel, since, until, limit)
}

// Ready implements Broker.
func (r *Redis) Ready() error { return r.subs.ready() }

// Stats implements Broker.
func (r *Redis) Stats() *Stats { return &r.stats }
