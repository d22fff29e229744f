package broker

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

func at(epoch string, offset uint64) position.Position {
	return position.Position{Epoch: epoch, Offset: offset}
}

func TestMissing(t *testing.T) {
	c := header{Position: at("c", 250), start: 200, previous: "b"}
	inOne := header{Position: at("b", 150), start: 101, previous: "a"}
	first := header{Position: at("b", 101), start: 101, previous: "a"}
	fresh := header{Position: at("x", 1), start: 1}
	informed := c.informed(header{Position: at("c", 300), start: 200, past: []term{{"b", 101}, {"a", 1}}})
	for _, x := range []struct {
		name string
		h    header
		p    position.Position
		want int64
	}{
		{"next", inOne, at("b", 149), 0},
		{"same epoch", inOne, at("b", 140), 9},
		{"first of an epoch", first, at("a", 100), 0},
		{"first of an epoch that never saw the end of the one before", first, at("a", 120), 0},
		{"end of the epoch before", first, at("a", 90), 10},
		{"within the next epoch", inOne, at("a", 100), 49},
		{"within the next epoch, which never saw the end", inOne, at("a", 120), 49},
		{"both", inOne, at("a", 90), 59},
		{"base before the first of an epoch", first, at("b", 100), 0},
		{"another epoch", inOne, at("z", 149), LostUnknown},
		{"no epoch before", fresh, at("a", 100), LostUnknown},
		{"nowhere", fresh, position.Position{}, LostUnknown},
		{"two epochs back, unknown", c, at("a", 100), LostUnknown},
		{"two epochs back", informed, at("a", 100), 149},
		{"two epochs back, which never saw the end", informed, at("a", 180), 149},
		{"two epochs back, some of it", informed, at("a", 90), 159},
	} {
		require.Equal(t, x.want, x.h.missing(x.p), x.name)
		// What the library sends tells when nothing is missing.
		require.Equal(t, x.want == 0, x.h.follows(x.p), x.name)
	}
}

func TestInformedByAnOlderEpochOfTheSameServer(t *testing.T) {
	newest := header{Position: at("c", 250), start: 200, past: []term{{"b", 101}, {"a", 1}}}
	h := header{Position: at("b", 150), start: 101, previous: "a"}
	require.Equal(t, []term{{"a", 1}}, h.informed(newest).past)
	require.Empty(t, header{Position: at("elsewhere", 1)}.informed(newest).past)
}

func FuzzParseWire(f *testing.F) {
	f.Add([]byte("hello"))
	f.Add([]byte(magic))
	f.Add([]byte(magic + "e-1 5 1 - 1700000000000\npayload\n"))
	f.Add([]byte(magic + "e-1 5 1 d-1 1700000000000\n"))
	f.Add([]byte(magic + "e 18446744073709551616 1 - 1\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		h, payload, known, err := parseWire(wire)
		require.Equal(t, bytes.HasPrefix(wire, []byte(magic)), known)
		if !known {
			require.NoError(t, err)
			require.Equal(t, wire, payload)
		}
		if !known || err != nil {
			return
		}
		require.NotEmpty(t, h.Epoch)
		again, samePayload, _, err := parseWire(appendWire(nil, h, 0, payload))
		require.NoError(t, err)
		if len(h.past) == 0 { // which only anchors have
			require.Equal(t, h, again)
		}
		require.Equal(t, payload, samePayload)
	})
}

func FuzzParseAnchor(f *testing.F) {
	f.Add("e-2 5 3 e-1:1,e-0:1")
	f.Add("e-2 0 1 -")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseAnchor(s)
		if err == nil {
			require.NotEmpty(t, h.Epoch)
			require.Equal(t, len(h.past) > 0, len(h.past) > 0 && h.past[0].epoch == h.previous)
		} else {
			require.ErrorContains(t, err, "damaged header")
		}
	})
}
