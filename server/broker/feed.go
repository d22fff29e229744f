package broker

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// subscribeBatch is how many channels one SUBSCRIBE names, and how many anchors are asked
// for at once, at the most.
const subscribeBatch = 500

// feed is one connection of a link. It reads in one goroutine, and in others tells the
// server which channels are wanted, asks where they stand, and watches for silence.
type feed struct {
	*link
	conn *connection
	id   uint64
	fail context.CancelCauseFunc // ends the connection
	wg   sync.WaitGroup

	progress     atomic.Uint64 // pushes read
	acknowledged chan struct{} // holds one token when acks has channels

	mu      sync.Mutex         // guards the following
	sent    map[string]request // by channel, what the server was told last
	acks    []anchor           // acknowledged, and not yet verified: their channel and number
	missing map[int]int        // channels of the first round that aren't verified, by slot; the link is up without any
	left    []int              // slots that the server said are not its own
}

// request is a subscription that the server was told of.
type request struct {
	number  uint64 // 0 after UNSUBSCRIBE
	pending int    // SUBSCRIBEs that aren't acknowledged yet
}

// receive reads until the connection fails.
func (f *feed) receive() error {
	for {
		m, err := f.conn.next()
		if r, ok := redirected(err, f.server.Addr); ok && f.sharded {
			f.progress.Add(1)
			f.leave(r.slot)
			continue
		}
		if err != nil {
			return err
		}
		f.progress.Add(1)
		switch m.kind {
		case "message", "smessage":
			f.intake.message(f.id, m.channel, m.payload)
		case "subscribe", "ssubscribe":
			f.acknowledge(m.channel)
		case "sunsubscribe":
			if f.holds(m.channel) {
				f.leave(slotOf(m.channel))
			}
		case "pong":
			if e := f.conn.pong(); e != nil {
				f.intake.control(*e)
				f.verified(e.anchors)
			}
		}
	}
}

// watch ends the connection when the server no longer answers.
func (f *feed) watch(ctx context.Context) {
	tick := time.NewTicker(silenceTimeout)
	defer tick.Stop()
	seen, asked := uint64(0), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch now := f.progress.Load(); {
		case now != seen:
			seen, asked = now, false
		case asked:
			f.fail(errSilent)
			return
		default:
			asked = true
			if err := f.conn.ping(nil); err != nil {
				f.fail(err)
				return
			}
		}
	}
}

// subscribe tells the server which channels are wanted, from all of them on a new
// connection to each change later.
func (f *feed) subscribe(ctx context.Context) {
	told := make(map[string]uint64)
	for {
		f.strike(told)
		wanted := f.interest.all()
		add, gone := difference(wanted, told), missingKeys(told, wanted)
		f.note(add, gone, wanted)
		f.await(add)
		if err := f.tell("UNSUBSCRIBE", gone); err != nil {
			f.fail(err)
			return
		}
		if err := f.tell("SUBSCRIBE", add); err != nil {
			f.fail(err)
			return
		}
		told = wanted
		select {
		case <-ctx.Done():
			return
		case <-f.interest.changed:
		}
	}
}

// note keeps in mind what the server is about to be told.
func (f *feed) note(add, gone []string, wanted map[string]uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range gone {
		if r := f.sent[c]; r.pending > 0 {
			f.sent[c] = request{pending: r.pending}
		} else {
			delete(f.sent, c)
		}
	}
	for _, c := range add {
		f.sent[c] = request{number: wanted[c], pending: f.sent[c].pending + 1}
	}
}

// missingKeys returns the keys of a that b doesn't have.
func missingKeys(a, b map[string]uint64) []string {
	var gone []string
	for k := range a {
		if _, ok := b[k]; !ok {
			gone = append(gone, k)
		}
	}
	return gone
}

// tell sends command for the channels: in batches, or one by one in a cluster, where those
// of one command must have the same slot.
func (f *feed) tell(command string, channels []string) error {
	batch := subscribeBatch
	if f.sharded {
		command, batch = "S"+command, 1
	}
	for c := range slices.Chunk(channels, batch) {
		if err := f.conn.send(command, c...); err != nil {
			return err
		}
	}
	return nil
}
