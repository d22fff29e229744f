//go:build linux

package engine

import (
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

func at(t *testing.T, text string) position.Position {
	t.Helper()
	p, err := position.Parse(text)
	require.NoError(t, err)
	return p
}

func TestPassages(t *testing.T) {
	for _, c := range []struct {
		from, to string
		lost     int64
		want     passage
	}{
		{"a:4", "a:5", 0, passage{}},
		{"a:4", "a:6", 0, passage{skipped: 1}},
		{"a:4", "a:6", 1, passage{}},
		{"a:4", "a:6", 2, passage{contradicted: true}},
		{"a:4", "a:5", 1, passage{contradicted: true}},
		{"a:4", "a:9", lostUnknown, passage{}},
		{"a:4", "a:4", 0, passage{repeated: true}},
		{"a:4", "a:3", 0, passage{repeated: true}},
		{"a:4", "b:5", 0, passage{}},
		{"a:4", "b:4", 0, passage{}}, // an offset that the old server gave out in vain
		{"a:4", "b:1", 0, passage{}},
		{"a:4", "b:7", 0, passage{skipped: 2}},
		{"a:4", "b:7", 2, passage{}},
		{"a:4", "b:7", lostUnknown, passage{}},
	} {
		var e epochs
		var cur cursor
		cur.move(at(t, c.from), &e)
		require.Equal(t, c.want, cur.pass(at(t, c.to), c.lost, &e), "%+v", c)
		after := c.to
		if c.want.repeated {
			after = c.from
		}
		require.Equal(t, after, cur.position(&e).String(), "%+v", c)
	}
}

func TestWhatIsMissingFromAPosition(t *testing.T) {
	for to, want := range map[string]int64{"a:4": 0, "a:9": 5, "a:1": 0, "b:9": 0} {
		var e epochs
		var cur cursor
		cur.move(at(t, "a:4"), &e)
		require.Equal(t, want, cur.missing(at(t, to), &e), to)
	}
}

func TestPositionsTakeLittle(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(cursor{}), uintptr(16))
	e := &Engine{cfg: Config{Total: 1, Stride: 1, Targets: []Target{{Path: "/"}}}}
	e.resuming = newResuming(&e.cfg)
	c := &client{e: e}
	h, err := parseHeader([]byte(`{"channel":"broadcast","position":"a:1"}`))
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		h.position.Offset++
		c.passes(&h)
	}))
}

// What a client asks for: nothing in particular at first, and then what it lacks of
// every channel, in the order in which it names them.
func TestRequestsNamePositions(t *testing.T) {
	e, err := New(Config{
		Run: "r", Total: 4, Stride: 1, RampStride: 1, Channels: 2, Resume: true,
		Targets: []Target{{Addr: netip.AddrPort{}, Path: "/?channel=a+b&x=y"}, {Path: "/ws"}},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		go func() { _ = e.Run() }()
		e.Finish(Published{})
	})
	path := func(c *client) string {
		line, _, _ := strings.Cut(string(c.appendRequest(nil)), " HTTP/1.1\r\n")
		return strings.TrimPrefix(line, "GET ")
	}
	one, other := &e.clients[0], &e.clients[1]
	require.Equal(t, "/?channel=a+b&x=y&channel=wsload-r-0&since=", path(one))
	require.Equal(t, "/ws?channel=wsload-r-1&since=", path(other))
	for channel, p := range map[string]string{"a b": "E:1", "wsload-r-0": "E:2", "broadcast": "E:3"} {
		one.cursor(channel).move(at(t, p), &e.resuming.epochs)
	}
	require.Equal(t, "/?channel=a+b&x=y&channel=wsload-r-0&channel=broadcast&since=E:1&since=E:2&since=E:3", path(one))
	other.cursor("wsload-r-1").move(at(t, "F:9"), &e.resuming.epochs)
	require.Equal(t, "/ws?channel=wsload-r-1&channel=broadcast&since=F:9&since=", path(other))
	require.Nil(t, other.cursor("a b"), "its target does not name it")
	require.Nil(t, other.cursor("wsload-r-0"), "it is another's")
	one.flags |= replaced
	require.Equal(t, "/?channel=a+b&x=y&channel=wsload-r-0&since=", path(one))
}
