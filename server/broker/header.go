package broker

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wsfleet/wsfleet/server/position"
)

// magic begins what the library publishes. Everything else was published past wsfleet.
const magic = "\x00wsfleet1\x00"

// noEpoch is how the library writes that there was no epoch before.
const noEpoch = "-"

// header says where a message stands in the stream of its channel.
type header struct {
	position.Position
	start    uint64 // the first offset of the epoch
	previous string // the epoch before, "" if none
	past     []term // the epochs before, newest first, as far as the library knows them; empty in what comes by Pub/Sub
}

// term is an epoch with its first offset.
type term struct {
	epoch string
	start uint64
}

var errHeader = errors.New("damaged header")

// parseWire takes apart what came by Pub/Sub: epoch, offset, start, previous epoch and
// time in a line, then the payload, which shares memory with wire. known is false if it
// was published past wsfleet.
func parseWire(wire []byte) (h header, payload []byte, known bool, err error) {
	rest, known := bytes.CutPrefix(wire, []byte(magic))
	if !known {
		return header{}, wire, false, nil
	}
	head, payload, found := bytes.Cut(rest, []byte("\n"))
	if !found {
		return header{}, nil, true, fmt.Errorf("%w %.100q", errHeader, rest)
	}
	epoch, line, _ := strings.Cut(string(head), " ")
	offset, line, _ := strings.Cut(line, " ")
	start, line, _ := strings.Cut(line, " ")
	previous, _, _ := strings.Cut(line, " ")
	h, err = newHeader(epoch, offset, start, previous)
	return h, payload, true, err
}

// appendWire writes what parseWire reads; ms is the time, since 1970.
func appendWire(b []byte, h header, ms int64, payload []byte) []byte {
	previous := h.previous
	if previous == "" {
		previous = noEpoch
	}
	b = append(append(append(b, magic...), h.Epoch...), ' ')
	b = append(strconv.AppendUint(b, h.Offset, 10), ' ')
	b = append(strconv.AppendUint(b, h.start, 10), ' ')
	b = append(append(b, previous...), ' ')
	b = append(strconv.AppendInt(b, ms, 10), '\n')
	return append(b, payload...)
}

// parseAnchor reads what wsfleet_anchor returns: epoch, offset, start, epochs before.
func parseAnchor(s string) (header, error) {
	f := strings.Split(s, " ")
	if len(f) != 4 {
		return header{}, fmt.Errorf("%w %.100q", errHeader, s)
	}
	return newHeader(f[0], f[1], f[2], f[3])
}

// parseStored reads a message of wsfleet_history: its offset, and the header of the entry.
func parseStored(offset, head string) (header, error) {
	f := strings.Split(head, " ")
	if len(f) < 3 {
		return header{}, fmt.Errorf("%w %.100q", errHeader, head)
	}
	return newHeader(f[0], offset, f[1], f[2])
}

// newHeader reads the parts of a header. past is the epoch before, or those before as
// epoch:start, newest first.
func newHeader(epoch, offset, start, past string) (h header, err error) {
	h.Epoch = epoch
	var err1, err2 error
	h.Offset, err1 = strconv.ParseUint(offset, 10, 64)
	h.start, err2 = strconv.ParseUint(start, 10, 64)
	err = errors.Join(err1, err2)
	if strings.Contains(past, ":") {
		for part := range strings.SplitSeq(past, ",") {
			older, start, _ := strings.Cut(part, ":")
			n, e := strconv.ParseUint(start, 10, 64)
			err = errors.Join(err, e)
			h.past = append(h.past, term{older, n})
		}
		h.previous = h.past[0].epoch
	} else if past != noEpoch {
		h.previous = past
	}
	if err != nil || epoch == "" || past == "" {
		return header{}, fmt.Errorf("%w %.60q %.20q %.20q %.60q", errHeader, epoch, offset, start, past)
	}
	return h, nil
}

// follows reports whether the message is known to be the next after p. A new epoch may
// begin below p: its server never saw the end of the old one.
func (h header) follows(p position.Position) bool {
	if h.Epoch == p.Epoch {
		return h.Offset == p.Offset+1
	}
	return h.previous != "" && h.previous == p.Epoch && h.Offset == h.start && p.Offset+1 >= h.start
}

// missing returns how many messages stand between p and the message, LostUnknown if that
// can't be told. The message must not be at p or before it.
func (h header) missing(p position.Position) int64 {
	if h.Epoch == p.Epoch {
		return int64(h.Offset - p.Offset - 1)
	}
	// What came after the epoch of p began with the start of the next; where p is beyond
	// that, the server that took over never saw the end.
	next := h.start
	for i := 0; h.Offset >= next; i++ {
		switch {
		case i == 0 && h.previous != "" && h.previous == p.Epoch, i < len(h.past) && h.past[i].epoch == p.Epoch:
			return int64(h.Offset - min(next, p.Offset+1))
		case i >= len(h.past):
			return LostUnknown
		}
		next = h.past[i].start
	}
	return LostUnknown
}

// informed returns h with what newer, a header of the same channel, knows of the epochs before.
func (h header) informed(newer header) header {
	if h.Epoch == newer.Epoch {
		h.past = newer.past
		return h
	}
	for i, t := range newer.past {
		if t.epoch == h.Epoch {
			h.past = newer.past[i+1:]
		}
	}
	return h
}
