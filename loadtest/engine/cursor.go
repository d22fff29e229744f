//go:build linux

package engine

import (
	"strconv"

	"github.com/wsfleet/wsfleet/server/position"
)

// cursor is a client's place in one channel: the position up to which it has
// everything, or was told what it lacks. Epochs are interned, so that a million
// clients keep their places in sixteen bytes a channel without a pointer.
type cursor struct {
	offset uint64
	epoch  uint32 // in epochs; 0 while there is no position
	awaits awaited
}

// awaited is what the server still has to say about a channel of a connection.
type awaited uint8

const (
	nothing  awaited = iota
	start            // where the channel is
	recovery         // whether everything after the cursor comes
)

// epochs are the names of those that the clients have met, by cursor.epoch-1.
type epochs struct {
	names []string
	ids   map[string]uint32
}

func (e *epochs) id(name string) uint32 {
	if id, ok := e.ids[name]; ok {
		return id
	}
	if e.ids == nil {
		e.ids = map[string]uint32{}
	}
	e.names = append(e.names, name)
	e.ids[name] = uint32(len(e.names))
	return uint32(len(e.names))
}

// move sets the cursor to a position.
func (c *cursor) move(p position.Position, e *epochs) { c.epoch, c.offset = e.id(p.Epoch), p.Offset }

// at reports whether the cursor is at a position.
func (c *cursor) at(p position.Position, e *epochs) bool {
	return c.epoch == e.id(p.Epoch) && c.offset == p.Offset
}

// position is the cursor's; zero if it has none.
func (c *cursor) position(e *epochs) position.Position {
	if c.epoch == 0 {
		return position.Position{}
	}
	return position.Position{Epoch: e.names[c.epoch-1], Offset: c.offset}
}

// missing is how many messages are lost to who goes on at p instead: what the offsets
// say, as long as they count.
func (c *cursor) missing(p position.Position, e *epochs) int64 {
	if c.epoch != e.id(p.Epoch) || p.Offset < c.offset {
		return 0
	}
	return int64(p.Offset - c.offset)
}

// passage is what a message says about those between it and the cursor before it.
type passage struct {
	repeated     bool   // it is not after the cursor
	skipped      uint64 // messages before it that are missing, and nobody said so
	contradicted bool   // what it says is lost is not what its offset says
}

// pass takes the cursor to a message's position and says what lies between. Within
// an epoch offsets count the messages; a new epoch goes on from the last offset that the
// history has kept, which is not after the cursor unless something is missing.
func (c *cursor) pass(p position.Position, lost int64, e *epochs) (between passage) {
	id := e.id(p.Epoch)
	same := id == c.epoch
	if same && p.Offset <= c.offset {
		return passage{repeated: true}
	}
	if ahead := p.Offset - c.offset - 1; p.Offset > c.offset && lost >= 0 {
		switch {
		case lost == 0:
			between.skipped = ahead
		case same && uint64(lost) != ahead:
			between.contradicted = true
		}
	}
	c.epoch, c.offset = id, p.Offset
	return between
}

// appendPosition appends what Position.String would return. It allocates nothing:
// a storm asks with a million of them.
func (c *cursor) appendPosition(dst []byte, e *epochs) []byte {
	if c.epoch == 0 {
		return dst
	}
	dst = append(append(dst, e.names[c.epoch-1]...), ':')
	return strconv.AppendUint(dst, c.offset, 10)
}
