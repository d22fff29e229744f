//go:build linux

package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// The cases are named after the sections of RFC 6455. Each sends bytes over a real
// socket, in one segment and then one byte at a time, and expects what comes back.
var rfc6455 = []struct {
	name string
	send []byte
	want []string
}{
	{"5.1 an unmasked frame fails with 1002",
		[]byte{0x81, 0x01, 'x'}, []string{"close 1002 frame is not masked", "eof"}},
	{"5.2 RSV1 without an extension fails with 1002",
		masked(true, 0x40, frame.Text, "x"), []string{"close 1002 reserved bit is set", "eof"}},
	{"5.2 RSV2 fails with 1002",
		masked(true, 0x20, frame.Text, "x"), []string{"close 1002 reserved bit is set", "eof"}},
	{"5.2 RSV3 on a control frame fails with 1002",
		masked(true, 0x10, frame.Ping, "x"), []string{"close 1002 reserved bit is set", "eof"}},
	{"5.2 reserved data opcode 3 fails with 1002",
		masked(true, 0, 0x3, ""), []string{"close 1002 opcode is reserved", "eof"}},
	{"5.2 reserved control opcode 0xB fails with 1002",
		masked(true, 0, 0xB, ""), []string{"close 1002 opcode is reserved", "eof"}},
	{"5.2 a length not in its shortest form fails with 1002",
		[]byte{0x81, 0x80 | 126, 0, 5, 1, 2, 3, 4}, []string{"close 1002 frame: payload length is malformed", "eof"}},
	{"5.2 a length with the highest bit fails with 1002",
		[]byte{0x81, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}, []string{"close 1002 frame: payload length is malformed", "eof"}},
	{"5.4 a message in three fragments is one message",
		join(masked(false, 0, frame.Text, "He"), masked(false, 0, frame.Continuation, "l"), masked(true, 0, frame.Continuation, "lo"), closeFrame(1000, "")),
		[]string{`text "Hello"`, "close 1000", "eof"}},
	{"5.4 empty fragments are allowed",
		join(masked(false, 0, frame.Binary, ""), masked(false, 0, frame.Continuation, ""), masked(true, 0, frame.Continuation, ""), closeFrame(1000, "")),
		[]string{`binary ""`, "close 1000", "eof"}},
	{"5.4 control frames may come between fragments, and are answered first",
		join(masked(false, 0, frame.Text, "a"), masked(true, 0, frame.Ping, "p"), masked(true, 0, frame.Continuation, "b"), closeFrame(1000, "")),
		[]string{`pong "p"`, `text "ab"`, "close 1000", "eof"}},
	{"5.4 a continuation of nothing fails with 1002",
		masked(true, 0, frame.Continuation, "x"), []string{"close 1002 continuation without a message", "eof"}},
	{"5.4 a new message within a fragmented one fails with 1002",
		join(masked(false, 0, frame.Text, "a"), text("b")), []string{"close 1002 new message within a fragmented one", "eof"}},
	{"5.4 what came before a failure is still answered",
		join(text("first"), masked(true, 0x20, frame.Text, "x")), []string{`text "first"`, "close 1002 reserved bit is set", "eof"}},
	{"5.5 a fragmented control frame fails with 1002",
		masked(false, 0, frame.Ping, "x"), []string{"close 1002 control frame is fragmented", "eof"}},
	{"5.5 a control frame of 126 bytes fails with 1002",
		masked(true, 0, frame.Ping, strings.Repeat("x", 126)), []string{"close 1002 control frame is longer than 125 bytes", "eof"}},
	{"5.5.1 a close frame is echoed with its code",
		closeFrame(3000, "because"), []string{"close 3000", "eof"}},
	{"5.5.1 a close frame without a code is echoed without one",
		closeFrame(frame.CloseNoStatus, ""), []string{"close 1005", "eof"}},
	{"5.5.1 nothing after a close frame counts",
		join(closeFrame(1000, ""), text("late")), []string{"close 1000", "eof"}},
	{"5.5.1 a close frame of one byte fails with 1002",
		masked(true, 0, frame.Close, "\x03"), []string{"close 1002 malformed close frame", "eof"}},
	{"5.5.1 a close reason that is not UTF-8 fails with 1007",
		masked(true, 0, frame.Close, "\x03\xe8\xff"), []string{"close 1007 malformed close frame", "eof"}},
	{"5.5.2 a ping is answered with its payload",
		join(masked(true, 0, frame.Ping, strings.Repeat("p", 125)), closeFrame(1000, "")),
		[]string{fmt.Sprintf("pong %q", strings.Repeat("p", 125)), "close 1000", "eof"}},
	{"5.5.2 pings are answered in order",
		join(masked(true, 0, frame.Ping, "1"), masked(true, 0, frame.Ping, ""), masked(true, 0, frame.Ping, "3"), closeFrame(1000, "")),
		[]string{`pong "1"`, `pong ""`, `pong "3"`, "close 1000", "eof"}},
	{"5.5.3 an unsolicited pong is ignored",
		join(masked(true, 0, frame.Pong, "hm"), text("x"), closeFrame(1000, "")),
		[]string{`text "x"`, "close 1000", "eof"}},
	{"5.6 text and binary keep their type, also when empty",
		join(text(""), masked(true, 0, frame.Binary, ""), masked(true, 0, frame.Binary, "\xff"), closeFrame(1000, "")),
		[]string{`text ""`, `binary ""`, `binary "\xff"`, "close 1000", "eof"}},
	{"7.4 close codes that must not be sent fail with 1002: 1005",
		masked(true, 0, frame.Close, "\x03\xed"), []string{"close 1002 malformed close frame", "eof"}},
	{"7.4 close codes that must not be sent fail with 1002: 999",
		masked(true, 0, frame.Close, "\x03\xe7"), []string{"close 1002 malformed close frame", "eof"}},
	{"7.4 close codes that must not be sent fail with 1002: 5000",
		masked(true, 0, frame.Close, "\x13\x88"), []string{"close 1002 malformed close frame", "eof"}},
	{"8.1 text that is not UTF-8 fails with 1007",
		text("\xce\xba\xff"), []string{"close 1007 text is not UTF-8", "eof"}},
	{"8.1 a rune split over fragments is valid text",
		join(masked(false, 0, frame.Text, "\xe2\x82"), masked(true, 0, frame.Continuation, "\xac"), closeFrame(1000, "")),
		[]string{`text "€"`, "close 1000", "eof"}},
	{"8.1 text that is not UTF-8 only as a whole fails with 1007",
		join(masked(false, 0, frame.Text, "ok"), masked(true, 0, frame.Continuation, "\xed\xa0\x80")), []string{"close 1007 text is not UTF-8", "eof"}},
}

func TestRFC6455(t *testing.T) {
	s := start(t, defaults())
	for _, c := range rfc6455 {
		t.Run(c.name, func(t *testing.T) {
			for _, how := range []string{"in one segment", "byte by byte"} {
				p := s.open(t)
				if how == "in one segment" {
					p.send(c.send)
				} else {
					go func() {
						for i := range c.send {
							if _, err := p.Write(c.send[i : i+1]); err != nil {
								return // the server has failed the connection already
							}
						}
					}()
				}
				var got []string
				for len(got) == 0 || got[len(got)-1] != "eof" {
					got = append(got, p.next())
				}
				require.Equal(t, c.want, got, how)
			}
		})
	}
	require.Eventually(t, func() bool { return len(s.app.ended()) == 2*len(rfc6455) }, 10*time.Second, time.Millisecond)
}

// RFC 6455 section 10.4: limits on the size of frames and of whole messages.
func TestReadLimit(t *testing.T) {
	cfg := defaults()
	cfg.ReadLimit = 70_000
	s := start(t, cfg)
	exact := strings.Repeat("x", cfg.ReadLimit)
	for name, c := range map[string]struct {
		send []byte
		want string
	}{
		"a frame as large as allowed":        {text(exact), fmt.Sprintf("text %q", exact)},
		"a frame one byte larger, unsent":    {text(exact + "x")[:14], "close 1009 message is too big"},
		"fragments that add up to the limit": {join(masked(false, 0, frame.Text, exact[1:]), masked(true, 0, frame.Continuation, "x")), fmt.Sprintf("text %q", exact)},
		"fragments one byte beyond":          {join(masked(false, 0, frame.Text, exact), masked(true, 0, frame.Continuation, "x")), "close 1009 message is too big"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.open(t)
			p.send(c.send)
			require.Equal(t, c.want, p.next())
		})
	}
}

// Every way to cut a stream of frames into two segments gives the same answers.
func TestEverySplit(t *testing.T) {
	s := start(t, defaults())
	stream := join(text("one"), masked(false, 0, frame.Text, "tw"), masked(true, 0, frame.Ping, "!"),
		masked(true, 0, frame.Continuation, "o"), text(strings.Repeat("3", 200)))
	p := s.open(t)
	for cut := 1; cut < len(stream); cut++ {
		p.send(stream[:cut])
		time.Sleep(100 * time.Microsecond)
		p.send(stream[cut:])
		for _, want := range []string{`text "one"`, `pong "!"`, `text "two"`, fmt.Sprintf("text %q", strings.Repeat("3", 200))} {
			require.Equal(t, want, p.next(), "cut at %d", cut)
		}
	}
}

func TestManyMessagesInOneSegment(t *testing.T) {
	s := start(t, defaults())
	p := s.open(t)
	const n = 5000
	var all []byte
	for i := range n {
		all = append(all, text(fmt.Sprint(i))...)
	}
	go func() { _, _ = p.Write(all) }()
	for i := range n {
		require.Equal(t, fmt.Sprintf("text %q", fmt.Sprint(i)), p.next())
	}
}
