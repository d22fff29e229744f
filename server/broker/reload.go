package broker

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// reload is a hook that makes the client of a cluster ask who holds which slot after
// every failure. By itself go-redis does that when it is redirected, but a primary that
// is dead redirects nobody: pipelines would be sent to it for a minute.
type reload struct{ client *redis.ClusterClient }

func (r reload) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (r reload) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		r.after(ctx, err)
		return err
	}
}

func (r reload) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if err != nil { // the first one; another may say more
			for _, cmd := range cmds {
				r.after(ctx, cmd.Err())
			}
		}
		return err
	}
}

func (r reload) after(ctx context.Context, err error) {
	if err != nil && !errors.Is(err, redis.Nil) {
		r.client.ReloadState(ctx) // in the background, and not more often than five times a second
	}
}
