package broker

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire is what a server sends for the message of that offset, in epoch e.
func wire(offset uint64, payload string) []byte {
	return appendWire(nil, header{Position: at("e", offset), start: 1}, 0, []byte(payload))
}

// room is a limit for n messages of a short payload.
func room(n int) int64 { return int64(n) * (eventCost + int64(len(wire(1, "x")))) }

func TestIntakeIsBounded(t *testing.T) {
	var stats Stats
	q := newIntake(room(3), &stats)
	for i := range uint64(8) {
		q.message(1, "a", wire(i+1, "x"))
	}
	q.message(1, "b", wire(1, "x"))
	require.EqualValues(t, 9, stats.Received.Load())
	require.EqualValues(t, 6, stats.Dropped.Load())
	require.Equal(t, room(3), stats.Waiting.Load())

	events := q.take(nil)
	require.Len(t, events, 5)
	for i := range 3 {
		require.Equal(t, eventMessage, events[i].kind)
		require.Equal(t, wire(uint64(i)+1, "x"), events[i].payload)
	}
	require.Equal(t, eventDropped, events[3].kind)
	require.Equal(t, wire(8, ""), events[3].payload, "the last that was dropped")
	require.Equal(t, "b", events[4].channel)
	require.Equal(t, eventDropped, events[4].kind)

	q.message(1, "a", wire(9, "x"))
	require.EqualValues(t, 7, stats.Dropped.Load(), "what was taken still takes room")
	for i := range events {
		q.done(&events[i])
	}
	require.Zero(t, stats.Waiting.Load())
	q.message(1, "a", wire(10, "x"))
	events = q.take(events)
	require.Len(t, events, 2)
	require.Equal(t, wire(9, ""), events[0].payload)
	require.Equal(t, wire(10, "x"), events[1].payload)
}

// A message that found room stands between those that were dropped before and after it.
func TestDropsKeepTheirPlace(t *testing.T) {
	var stats Stats
	q := newIntake(room(1), &stats)
	q.message(1, "a", wire(1, "x"))
	q.message(1, "a", wire(2, "x"))
	taken := q.take(nil)
	q.done(&taken[0])
	q.message(1, "a", wire(3, "x"))
	q.message(1, "a", wire(4, "x"))
	q.message(1, "a", []byte("past wsfleet"))
	q.control(event{kind: eventUnsubscribe, channel: "a"})
	q.message(1, "a", wire(5, "x"))
	var got []string
	for _, e := range append(taken, q.take(nil)...) {
		h, _, _, _ := parseWire(e.payload)
		got = append(got, fmt.Sprint(e.kind, h.Offset, e.raw))
	}
	require.Equal(t, []string{"0 1 0", "1 2 0", "0 3 0", "1 4 1", "3 0 0", "1 5 0"}, got)
}

func TestLargeMessageFindsRoomAlone(t *testing.T) {
	var stats Stats
	q := newIntake(100, &stats)
	q.message(1, "a", make([]byte, 1000))
	require.Zero(t, stats.Dropped.Load())
	q.message(1, "a", wire(1, "x"))
	require.EqualValues(t, 1, stats.Dropped.Load())
}
