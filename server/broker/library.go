package broker

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// library is what runs inside Redis.
//
//go:embed library.lua
var library string

// loadLibrary gives the library to the servers, each primary of a cluster, that don't have it yet.
func loadLibrary(ctx context.Context, client redis.UniversalClient) error {
	load := func(ctx context.Context, c *redis.Client) error {
		err := c.FunctionLoad(ctx, library).Err()
		switch {
		case err == nil, strings.Contains(err.Error(), "already exists"):
			return nil
		case strings.Contains(err.Error(), "unknown command"):
			return fmt.Errorf("Redis 7.0 or newer is needed: %w", err)
		}
		return fmt.Errorf("load the function library: %w", err)
	}
	switch c := client.(type) {
	case *redis.ClusterClient:
		var loaded atomic.Bool
		err := c.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
			err := load(ctx, c)
			if err == nil {
				loaded.Store(true)
			}
			return err
		})
		if loaded.Load() {
			return nil // a primary that is away gets it when it is missed there
		}
		return err
	case *redis.Client:
		return load(ctx, c)
	}
	return fmt.Errorf("%T can't load functions", client)
}

// libraryMissing reports whether the server doesn't have the library: it was restarted
// without persistence, or its functions were flushed.
func libraryMissing(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "ERR Function not found")
}

// isServerError reports whether the server answered, with an error.
func isServerError(err error) bool {
	var e redis.Error
	return errors.As(err, &e) && !errors.Is(err, redis.Nil)
}
