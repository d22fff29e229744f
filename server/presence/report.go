package presence

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// batch is how many channels one transaction writes at the most: some 100 KB, a
	// few milliseconds of Redis.
	batch = 2000
	// wholeEvery is after how many reports everything is written anew, whatever seems
	// to be there: no error stays for longer than some minutes.
	wholeEvery = 60
)

// reported is what Redis was told.
type reported struct {
	certain  bool // the last report came through
	channels map[string]int64
	revision int64 // counts the reports
}

// report tells Redis what changed since the last report, or everything if it can't be
// sure that Redis has the rest.
func (p *Presence) report(ctx context.Context) error {
	connections, channels := p.snapshot()
	told := p.reported
	p.reported = reported{revision: told.revision + 1} // until it is certain
	known, err := p.hasAll(ctx, told)
	if err != nil {
		return err
	}
	if known {
		err = p.writeChanges(ctx, told.channels, channels)
	} else {
		err = p.writeWhole(ctx, channels)
	}
	if err != nil {
		return err
	}
	_, err = p.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.HSet(ctx, p.keys.state, fieldConnections, connections, fieldRevision, p.reported.revision)
		for _, key := range []string{p.keys.state, p.keys.counts, p.keys.names} {
			tx.PExpire(ctx, key, p.expiry())
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Others may have taken it for dead meanwhile.
	if err := p.client.SAdd(ctx, registry, p.keys.node).Err(); err != nil {
		return err
	}
	p.reported.certain, p.reported.channels = true, channels
	return nil
}

func (p *Presence) expiry() time.Duration { return expiryIntervals * p.interval }

// hasAll reports whether Redis has what it was told: not after it lost its memory, nor
// if a replica took over that had not heard the last of it.
func (p *Presence) hasAll(ctx context.Context, told reported) (bool, error) {
	if !told.certain || told.revision%wholeEvery == 0 {
		return false, nil
	}
	var revision *redis.StringCmd
	var counts, names *redis.IntCmd
	_, err := p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		revision = pipe.HGet(ctx, p.keys.state, fieldRevision)
		counts, names = pipe.HLen(ctx, p.keys.counts), pipe.ZCard(ctx, p.keys.names)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, err
	}
	n, err := revision.Int64()
	have := int64(len(told.channels))
	return err == nil && n == told.revision && counts.Val() == have && names.Val() == have, nil
}

// writeChanges brings what Redis has from one state to the next.
func (p *Presence) writeChanges(ctx context.Context, from, to map[string]int64) error {
	var set, gone []string
	for name, n := range to {
		if before, ok := from[name]; !ok || before != n {
			set = append(set, name)
		}
	}
	for name := range from {
		if _, stays := to[name]; !stays {
			gone = append(gone, name)
		}
	}
	if err := p.write(ctx, p.keys.counts, p.keys.names, set, to, from); err != nil {
		return err
	}
	for part := range slices.Chunk(gone, batch) {
		_, err := p.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.HDel(ctx, p.keys.counts, part...)
			tx.ZRem(ctx, p.keys.names, members(part)...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeWhole replaces what Redis has. Those who read see either the old or the new.
func (p *Presence) writeWhole(ctx context.Context, channels map[string]int64) error {
	if err := p.client.Unlink(ctx, p.keys.newCounts, p.keys.newNames).Err(); err != nil {
		return err
	}
	all := make([]string, 0, len(channels))
	for name := range channels {
		all = append(all, name)
	}
	if err := p.write(ctx, p.keys.newCounts, p.keys.newNames, all, channels, nil); err != nil {
		return err
	}
	_, err := p.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		if len(all) == 0 {
			tx.Unlink(ctx, p.keys.counts, p.keys.names)
			return nil
		}
		tx.Rename(ctx, p.keys.newCounts, p.keys.counts)
		tx.Rename(ctx, p.keys.newNames, p.keys.names)
		return nil
	})
	return err
}

// write sets the counts of channels, and adds the names of those that are not in known.
// Each step sets the expiry too: a node that dies between two leaves nothing for good.
func (p *Presence) write(ctx context.Context, counts, names string, channels []string, values, known map[string]int64) error {
	for part := range slices.Chunk(channels, batch) {
		fields := make([]any, 0, 2*len(part))
		var added []redis.Z
		for _, name := range part {
			fields = append(fields, name, values[name])
			if _, ok := known[name]; !ok {
				added = append(added, redis.Z{Member: name})
			}
		}
		_, err := p.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.HSet(ctx, counts, fields...)
			tx.PExpire(ctx, counts, p.expiry())
			if len(added) > 0 {
				tx.ZAdd(ctx, names, added...)
				tx.PExpire(ctx, names, p.expiry())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// leave takes this node out of the fleet.
func (p *Presence) leave(ctx context.Context) error {
	_, err := p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.SRem(ctx, registry, p.keys.node)
		pipe.Unlink(ctx, p.keys.state, p.keys.counts, p.keys.names, p.keys.newCounts, p.keys.newNames)
		return nil
	})
	return err
}

func members(names []string) []any {
	all := make([]any, len(names))
	for i, name := range names {
		all[i] = name
	}
	return all
}
