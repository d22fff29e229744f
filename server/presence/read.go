package presence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Channels returns how many connections each of these channels has in the fleet, in
// their order; 0 for one that nobody knows. It waits for Redis, five seconds at the
// most; the error says that and why it can't tell.
func (p *Presence) Channels(ctx context.Context, channels []string) ([]Count, error) {
	counts := make([]Count, len(channels))
	for i, name := range channels {
		counts[i].Channel = name
	}
	if len(channels) == 0 {
		return counts, nil
	}
	if p.client == nil {
		_, mine := p.snapshot()
		for i := range counts {
			counts[i].Connections = mine[counts[i].Channel]
		}
		return counts, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nodes, err := p.alive(ctx)
	if err == nil {
		err = p.sum(ctx, nodes, counts)
	}
	if err != nil {
		return nil, fmt.Errorf("presence: %w", err)
	}
	return counts, nil
}

// List returns the first limit channels that begin with prefix, in the order of their
// bytes, with their connections in the fleet; more says that there are others. It
// waits as Channels does.
func (p *Presence) List(ctx context.Context, prefix string, limit int) (page []Count, more bool, err error) {
	if p.client == nil {
		_, mine := p.snapshot()
		maps.DeleteFunc(mine, func(name string, _ int64) bool { return !strings.HasPrefix(name, prefix) })
		names := slices.Sorted(maps.Keys(mine))
		for _, name := range names[:min(limit, len(names))] {
			page = append(page, Count{name, mine[name]})
		}
		return page, len(names) > limit, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nodes, err := p.alive(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("presence: %w", err)
	}
	names, err := p.first(ctx, nodes, prefix, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("presence: %w", err)
	}
	for _, name := range names[:min(limit, len(names))] {
		page = append(page, Count{Channel: name})
	}
	if err := p.sum(ctx, nodes, page); err != nil {
		return nil, false, fmt.Errorf("presence: %w", err)
	}
	return page, len(names) > limit, nil
}

// member is a node that has not expired.
type member struct {
	keys
	connections int64
}

// alive returns the nodes that report. Those that don't any more are struck off the
// registry; one that was struck off wrongly is back with its next report.
func (p *Presence) alive(ctx context.Context) ([]member, error) {
	names, err := p.client.SMembers(ctx, registry).Result()
	if err != nil {
		return nil, err
	}
	replies := make([]*redis.StringCmd, len(names))
	_, err = p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, name := range names {
			replies[i] = pipe.HGet(ctx, keysOf(name).state, fieldConnections)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var nodes []member
	var dead []any
	for i, reply := range replies {
		connections, err := reply.Int64()
		switch {
		case errors.Is(err, redis.Nil):
			dead = append(dead, names[i])
		case err != nil:
			return nil, err
		default:
			nodes = append(nodes, member{keysOf(names[i]), connections})
		}
	}
	if len(dead) > 0 {
		return nodes, p.client.SRem(ctx, registry, dead...).Err()
	}
	return nodes, nil
}

// total is what all nodes have now.
func (p *Presence) total(ctx context.Context) (fleet Fleet, err error) {
	nodes, err := p.alive(ctx)
	for _, node := range nodes {
		fleet.Nodes++
		fleet.Connections += node.connections
	}
	return fleet, err
}

// sum adds to counts what each of the nodes has.
func (p *Presence) sum(ctx context.Context, nodes []member, counts []Count) error {
	if len(counts) == 0 || len(nodes) == 0 {
		return nil
	}
	names := make([]string, len(counts))
	for i, c := range counts {
		names[i] = c.Channel
	}
	replies := make([]*redis.SliceCmd, len(nodes))
	_, err := p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, node := range nodes {
			replies[i] = pipe.HMGet(ctx, node.counts, names...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, reply := range replies {
		for i, value := range reply.Val() {
			text, ok := value.(string)
			if !ok {
				continue // that node has nobody on it
			}
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Errorf("connections of %.80q: %w", names[i], err)
			}
			counts[i].Connections += n
		}
	}
	return nil
}

// first returns the first n channels of all nodes that begin with prefix. Each node
// need give only its own first n, however many it has.
func (p *Presence) first(ctx context.Context, nodes []member, prefix string, n int) ([]string, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	within := &redis.ZRangeBy{Min: "[" + prefix, Max: after(prefix), Count: int64(n)}
	replies := make([]*redis.StringSliceCmd, len(nodes))
	_, err := p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, node := range nodes {
			replies[i] = pipe.ZRangeByLex(ctx, node.names, within)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, reply := range replies {
		names = append(names, reply.Val()...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(n, len(names))], nil
}

// after is the end of the range of all that begins with prefix, as ZRANGEBYLEX wants it.
func after(prefix string) string {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return "+"
	}
	end[len(end)-1]++
	return "(" + string(end)
}
