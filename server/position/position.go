// Package position names places in the stream of a channel: after which message
// somebody has everything.
package position

import (
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the stream of one channel: just after the message with this
// offset. Offsets count a channel's messages from 1 without a gap, within an epoch. A
// new epoch begins when the count can no longer be relied upon: the broker lost what it
// kept, or another server took over. Positions of different channels mean nothing to
// each other. The zero value is no position.
type Position struct {
	Epoch  string
	Offset uint64
}

// maxEpoch is the longest name of an epoch, in bytes; those of wsfleet have 20 or so.
const maxEpoch = 64

// IsZero reports whether p is no position.
func (p Position) IsZero() bool { return p == Position{} }

// String returns p as epoch:offset, "" if it is none.
func (p Position) String() string {
	if p.IsZero() {
		return ""
	}
	return p.Epoch + ":" + strconv.FormatUint(p.Offset, 10)
}

// Parse reads what String wrote. The error names the text.
func Parse(s string) (Position, error) {
	epoch, offset, found := strings.Cut(s, ":")
	n, err := strconv.ParseUint(offset, 10, 64)
	if !found || err != nil || epoch == "" || len(epoch) > maxEpoch {
		return Position{}, fmt.Errorf("position %.80q: want epoch:offset", s)
	}
	return Position{Epoch: epoch, Offset: n}, nil
}
