package broker

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/position"
)

// redisHistory reads what the library keeps.
type redisHistory struct {
	client redis.UniversalClient
	name   string // of the server, for messages
	bounds History
}

// read is a reader.
func (r *redisHistory) read(ctx context.Context, channel string, since position.Position, limit int) (page, error) {
	call := func() ([]any, error) {
		return r.client.FCallRO(ctx, "wsfleet_history", []string{historyKey(channel)},
			since.Epoch, since.Offset, limit, r.bounds.Age.Milliseconds(), pageBytes).Slice()
	}
	reply, err := call()
	if libraryMissing(err) {
		if err = loadLibrary(ctx, r.client); err == nil {
			reply, err = call()
		}
	}
	var p page
	if err == nil {
		p, err = parsePage(reply)
	}
	if err != nil {
		return page{}, fmt.Errorf("redis %s: history of channel %.100q: %w", r.name, channel, err)
	}
	return p, nil
}

// parsePage reads what wsfleet_history returns: ok or old, the anchor, whether there are
// more, and offset, header and payload of each message.
func parsePage(reply []any) (p page, err error) {
	if len(reply) < 3 || len(reply)%3 != 0 {
		return page{}, fmt.Errorf("answer of %d parts", len(reply))
	}
	state, _ := reply[0].(string)
	more, _ := reply[2].(int64)
	p.old, p.more = state != "ok", more != 0
	if anchor, _ := reply[1].(string); anchor != "" {
		if p.anchor, err = parseAnchor(anchor); err != nil {
			return page{}, err
		}
	}
	for m := reply[3:]; len(m) > 0; m = m[3:] {
		offset, _ := m[0].(string)
		head, _ := m[1].(string)
		payload, _ := m[2].(string)
		h, err := parseStored(offset, head)
		if err != nil {
			return page{}, err
		}
		p.messages = append(p.messages, stored{h, []byte(payload)})
	}
	return p, nil
}

// historyOf answers Broker.History with what read returns.
func historyOf(ctx context.Context, read reader, channel string, since, until position.Position, limit int) ([]Message, bool, error) {
	if limit <= 0 || limit > pageMessages {
		limit = pageMessages
	}
	p, err := read(ctx, channel, since, limit)
	if err != nil {
		return nil, false, err
	}
	if p.old {
		return nil, false, tooOld(channel, since, p)
	}
	return p.until(channel, since, until)
}

func tooOld(channel string, since position.Position, p page) error {
	switch {
	case len(p.messages) > 0:
		return fmt.Errorf("channel %.100q since %v: %w: it starts with %v", channel, since, ErrTooOld, p.messages[0].Position)
	case !p.anchor.IsZero():
		return fmt.Errorf("channel %.100q since %v: %w: there is none before %v", channel, since, ErrTooOld, p.anchor.Position)
	}
	return fmt.Errorf("channel %.100q since %v: %w: there is none", channel, since, ErrTooOld)
}

// until cuts the page behind a position, unless that is zero.
func (p page) until(channel string, since, until position.Position) (messages []Message, more bool, err error) {
	if !until.IsZero() && until.Epoch == since.Epoch && until.Offset <= since.Offset {
		return nil, false, nil
	}
	met := until.Epoch == since.Epoch // whether the epoch of until has begun
	for _, m := range p.messages {
		switch {
		case until.IsZero():
		case m.Epoch == until.Epoch:
			met = true
		case met:
			// The server that took over never saw what until names.
			return nil, false, fmt.Errorf("channel %.100q until %v: %w: it goes on with %v", channel, until, ErrTooOld, m.Position)
		}
		messages = append(messages, Message{Channel: channel, Payload: m.payload, Position: m.Position})
		if m.Position == until {
			return messages, false, nil
		}
	}
	if !until.IsZero() && !p.more {
		return nil, false, fmt.Errorf("channel %.100q until %v: %w: it ends with %v", channel, until, ErrTooOld, p.anchor.Position)
	}
	return messages, p.more, nil
}
