package broker

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// anchors asks where the channels stand, and fills that in. One that can't be told, because
// its key holds something else, keeps a zero position.
func (l *link) anchors(ctx context.Context, asked []anchor) error {
	ctx, cancel := context.WithTimeout(ctx, 2*silenceTimeout)
	defer cancel()
	err := l.readAnchors(ctx, asked)
	if libraryMissing(err) {
		if err = loadLibrary(ctx, l.commands); err == nil {
			err = l.readAnchors(ctx, asked)
		}
	}
	return err
}

func (l *link) readAnchors(ctx context.Context, asked []anchor) error {
	replies, _ := l.commands.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, a := range asked {
			p.FCall(ctx, "wsfleet_anchor", []string{historyKey(a.channel)})
		}
		return nil
	})
	for i, reply := range replies {
		text, err := reply.(*redis.Cmd).Text()
		switch {
		case err == nil:
			if asked[i].header, err = parseAnchor(text); err != nil {
				return err
			}
		case libraryMissing(err):
			return err
		case redis.HasErrorPrefix(err, "WRONGTYPE"), strings.HasPrefix(err.Error(), "ERR wsfleet"):
		default:
			return fmt.Errorf("position of channel %.100q: %w", asked[i].channel, err)
		}
	}
	return nil
}
