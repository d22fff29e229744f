package broker

import (
	"context"
	"slices"
)

// await notes which channels must be verified before the link is up: those of the first
// round.
func (f *feed) await(channels []string) {
	f.mu.Lock()
	if f.missing == nil {
		f.missing = make(map[int]int)
		for _, c := range channels {
			f.missing[f.slot(c)]++
		}
	}
	f.mu.Unlock()
	f.verified(nil)
}

// verified strikes off channels that the sequencer knows the position of.
func (f *feed) verified(anchors []anchor) {
	f.mu.Lock()
	for _, a := range anchors {
		if slot := f.slot(a.channel); f.missing[slot] > 1 {
			f.missing[slot]--
		} else {
			delete(f.missing, slot)
		}
	}
	up := len(f.missing) == 0
	f.mu.Unlock()
	if up && f.ready() != nil {
		f.down.Store(nil)
	}
}

// acknowledge queues a channel for verify, once all that the server was told of it is done.
func (f *feed) acknowledge(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.sent[channel]
	r.pending--
	switch {
	case r.pending > 0:
		f.sent[channel] = r
		return
	case r.number == 0:
		delete(f.sent, channel)
		return
	}
	f.sent[channel] = r
	f.acks = append(f.acks, anchor{channel: channel, number: r.number})
	select {
	case f.acknowledged <- struct{}{}:
	default:
	}
}

// verify finds out where acknowledged channels stand. The answer goes to the intake behind
// all messages that it counts: the server sends its pong to a later ping, on the connection
// of the messages, after them.
func (f *feed) verify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.acknowledged:
		}
		f.mu.Lock()
		acks := f.acks
		f.acks = nil
		f.mu.Unlock()
		for batch := range slices.Chunk(acks, subscribeBatch) {
			err := f.anchors(ctx, batch)
			if err == nil {
				err = f.conn.ping(&event{kind: eventAnchors, connection: f.id, anchors: batch})
			}
			if err != nil {
				f.fail(err)
				return
			}
		}
	}
}
