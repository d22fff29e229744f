package broker

import (
	"fmt"
	"net/url"

	"github.com/redis/go-redis/v9"
)

// target is what a URL names: the servers, and how they are joined.
type target struct {
	name    string // host:port, or whatever messages should call it; never a password
	client  redis.UniversalClient
	sharded bool // channels belong to slots: SSUBSCRIBE, SPUBLISH
	// topology makes the links that feed r.
	topology func(r *Redis) topology
}

func newTarget(cfg Config) (*target, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("broker %q: %w", cfg.URL, err)
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, fmt.Errorf("broker %q: want memory or redis://host:port/db", cfg.URL)
	}
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
	client := redis.NewClient(opts)
	return &target{
		name:   opts.Addr,
		client: client,
		topology: func(r *Redis) topology {
			return newLink(client.Options(), r.client, r.interest, r.intake, &r.stats)
		},
	}, nil
}

// redacted hides a password that was put into the URL after all.
func redacted(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil {
		return u.Redacted()
	}
	return "(not a URL)"
}
