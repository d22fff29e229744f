package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/position"
)

const (
	// startTimeout is how long the first contact with Redis may take.
	startTimeout = 5 * time.Second
	// silenceTimeout is how long the subscription may be silent before it is
	// asked for a sign of life; after a second silence it is given up.
	silenceTimeout = 5 * time.Second
	// backoffMin and backoffMax bound the wait before the next try to reach
	// Redis; half of it is random, so that a fleet does not return at once.
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
	// subscribeBatch is how many channels one SUBSCRIBE names at the most.
	subscribeBatch = 500
)

// Redis is a broker over Redis Pub/Sub: one subscription for each channel of the
// node, whatever the number of its connections. Messages published while the
// connection to Redis is down are lost, as Pub/Sub promises no more.
type Redis struct {
	client *redis.Client
	addr   string
	stats  Stats
	down   atomic.Pointer[error] // nil while subscribed

	mu       sync.Mutex // guards the following
	channels map[string]bool
	changed  chan struct{} // holds one token when channels differs from what Redis was told
}

// quiet drops go-redis' own log lines: every failure also comes back as an error.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) }

// NewRedis returns a broker for the server that cfg names; see New.
func NewRedis(cfg Config) (*Redis, error) {
	opts, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("broker %q: %w", redacted(cfg.URL), err)
	}
	if cfg.Password != "" {
		opts.Password = cfg.Password
	}
	// One try per call: the retries are this package's, with its own backoff.
	opts.MaxRetries = -1
	opts.DialerRetries = 1
	r := &Redis{
		client:   redis.NewClient(opts),
		addr:     opts.Addr,
		channels: make(map[string]bool),
		changed:  make(chan struct{}, 1),
	}
	r.setDown(errors.New("not yet subscribed"))
	return r, nil
}

func (r *Redis) setDown(err error) {
	if err == nil {
		r.down.Store(nil)
		return
	}
	err = fmt.Errorf("redis %s: %w", r.addr, err)
	r.down.Store(&err)
}

// Run implements Broker. It fails if Redis can't be reached at the start.
func (r *Redis) Run(ctx context.Context, receiver Receiver) error {
	defer r.client.Close()
	start, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := r.client.Ping(start).Err(); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("redis %s: %w", r.addr, err)
	}
	backoff := backoffMin
	for {
		subscribed, err := r.receive(ctx, receiver)
		if ctx.Err() != nil {
			return nil
		}
		r.setDown(err)
		if subscribed {
			backoff = backoffMin
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff/2 + rand.N(backoff/2)):
		}
		backoff = min(2*backoff, backoffMax)
		r.stats.Reconnects.Add(1)
	}
}

// receive holds one connection to Redis until it fails. It reports whether it got
// so far as to be subscribed.
func (r *Redis) receive(ctx context.Context, receiver Receiver) (subscribed bool, err error) {
	ps := r.client.Subscribe(ctx)
	defer ps.Close()
	if err := ps.Ping(ctx); err != nil { // dials
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	// A read that waits heeds its deadline, not the context.
	defer context.AfterFunc(ctx, func() { ps.Close() })()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { r.keepSubscriptions(ctx, ps) })

	asked := false
	for {
		msg, err := ps.ReceiveTimeout(ctx, silenceTimeout)
		if isTimeout(err) && !asked {
			if err = ps.Ping(ctx); err == nil {
				asked = true
				continue
			}
		}
		if err != nil {
			return subscribed, err
		}
		asked = false
		if !subscribed {
			subscribed = true
			r.setDown(nil)
		}
		if m, ok := msg.(*redis.Message); ok {
			r.stats.Received.Add(1)
			receiver.Deliver(Message{Channel: m.Channel, Payload: []byte(m.Payload)})
		}
	}
}

// keepSubscriptions tells Redis which channels are wanted, from none on a new
// connection to each change later.
func (r *Redis) keepSubscriptions(ctx context.Context, ps *redis.PubSub) {
	told := make(map[string]bool)
	for {
		r.mu.Lock()
		wanted := maps.Clone(r.channels)
		r.mu.Unlock()
		add, remove := difference(wanted, told), difference(told, wanted)
		// A failure shows in receive, which ends this connection.
		if inBatches(add, func(c []string) error { return ps.Subscribe(ctx, c...) }) != nil ||
			inBatches(remove, func(c []string) error { return ps.Unsubscribe(ctx, c...) }) != nil {
			return
		}
		told = wanted
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
	}
}

func difference(a, b map[string]bool) []string {
	var only []string
	for k := range a {
		if !b[k] {
			only = append(only, k)
		}
	}
	return only
}

func inBatches(channels []string, do func([]string) error) error {
	for batch := range slices.Chunk(channels, subscribeBatch) {
		if err := do(batch); err != nil {
			return err
		}
	}
	return nil
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// Subscribe implements Broker.
func (r *Redis) Subscribe(channel string) { r.setSubscribed(channel, true) }

// Unsubscribe implements Broker.
func (r *Redis) Unsubscribe(channel string) { r.setSubscribed(channel, false) }

func (r *Redis) setSubscribed(channel string, on bool) {
	r.mu.Lock()
	if on {
		r.channels[channel] = true
	} else {
		delete(r.channels, channel)
	}
	r.stats.Subscriptions.Store(int64(len(r.channels)))
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Publish implements Broker.
func (r *Redis) Publish(ctx context.Context, channel string, payload []byte) (position.Position, error) {
	if err := r.client.Publish(ctx, channel, payload).Err(); err != nil {
		r.stats.PublishErrors.Add(1)
		return position.Position{}, fmt.Errorf("redis %s: publish: %w", r.addr, err)
	}
	r.stats.Published.Add(1)
	return position.Position{}, nil
}

// PublishLater implements Broker.
func (r *Redis) PublishLater(channel string, payload []byte, done func(position.Position, error)) error {
	go func() {
		p, err := r.Publish(context.Background(), channel, payload)
		if done != nil {
			done(p, err)
		}
	}()
	return nil
}

// History implements Broker.
func (r *Redis) History(context.Context, string, position.Position, position.Position, int) ([]Message, bool, error) {
	return nil, false, ErrTooOld
}

// Ready implements Broker.
func (r *Redis) Ready() error {
	if err := r.down.Load(); err != nil {
		return *err
	}
	return nil
}

// Stats implements Broker.
func (r *Redis) Stats() *Stats { return &r.stats }
