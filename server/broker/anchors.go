package broker

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// anchors asks where the channels stand. One that can't be told, because its key holds
// something else, has a zero position.
func (l *link) anchors(ctx context.Context, channels []string) ([]anchor, error) {
	found := make([]anchor, len(channels))
	for i, c := range channels {
		found[i] = anchor{channel: c, number: l.interest.number(c)}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*silenceTimeout)
	defer cancel()
	err := l.readAnchors(ctx, found)
	if libraryMissing(err) {
		if err = loadLibrary(ctx, l.commands); err == nil {
			err = l.readAnchors(ctx, found)
		}
	}
	return found, err
}

func (l *link) readAnchors(ctx context.Context, found []anchor) error {
	replies, _ := l.commands.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, a := range found {
			p.FCall(ctx, "wsfleet_anchor", []string{historyKey(a.channel)})
		}
		return nil
	})
	for i, reply := range replies {
		text, err := reply.(*redis.Cmd).Text()
		switch {
		case err == nil:
			if found[i].header, err = parseAnchor(text); err != nil {
				return err
			}
		case libraryMissing(err):
			return err
		case redis.HasErrorPrefix(err, "WRONGTYPE"), strings.HasPrefix(err.Error(), "ERR wsfleet"):
		default:
			return fmt.Errorf("position of channel %.100q: %w", found[i].channel, err)
		}
	}
	return nil
}
