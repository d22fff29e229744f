//go:build linux

package session_test

import (
	"bytes"
	"compress/flate"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

func offer(parameters string) string {
	return "Sec-WebSocket-Extensions: permessage-deflate" + parameters + "\r\n"
}

// deflated compresses as RFC 7692 section 7.2.1 says, at Go's own pace.
func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write([]byte(s))
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

const rsv1 = frame.RSV1

// The examples of RFC 7692 section 7.2.3, as payloads.
const (
	helloCompressed = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	helloShared     = "\xf2\x00\x11\x00\x00" // refers to an earlier message's window
	helloStored     = "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"
	helloFinal      = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
	helloTwoBlocks  = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"
)

// The cases are named after the sections of RFC 7692. The read limit is 1 MiB.
var rfc7692 = []struct {
	name string
	send []byte
	want []string
}{
	{"6 a message without RSV1 is not decompressed",
		join(text("Hello"), closeFrame(1000, "")), []string{`text "Hello"`, "close 1000", "eof"}},
	{"6 RSV1 on a continuation fails with 1002",
		join(masked(false, rsv1, frame.Text, "\xf2\x48"), masked(true, rsv1, frame.Continuation, "\xcd")), []string{"close 1002 reserved bit is set", "eof"}},
	{"6 RSV1 on a control frame fails with 1002",
		masked(true, rsv1, frame.Ping, "x"), []string{"close 1002 reserved bit is set", "eof"}},
	{"6 RSV2 stays reserved",
		masked(true, rsv1|0x20, frame.Text, helloCompressed), []string{"close 1002 reserved bit is set", "eof"}},
	{"6.1 an empty message may be compressed",
		join(masked(true, rsv1, frame.Binary, "\x00"), closeFrame(1000, "")), []string{`binary ""`, "close 1000", "eof"}},
	{"6.2 control frames may come between the fragments of a compressed message",
		join(masked(false, rsv1, frame.Text, helloCompressed[:3]), masked(true, 0, frame.Ping, "p"), masked(true, 0, frame.Continuation, helloCompressed[3:]), closeFrame(1000, "")),
		[]string{`pong "p"`, `text "Hello"`, "close 1000", "eof"}},
	{"7.1.1 no context is kept: what refers to an earlier message fails with 1007",
		join(masked(true, rsv1, frame.Text, helloCompressed), masked(true, rsv1, frame.Text, helloShared)),
		[]string{`text "Hello"`, "close 1007 message can't be decompressed", "eof"}},
	{"7.2.2 what is not DEFLATE fails with 1007",
		masked(true, rsv1, frame.Text, "\xff\xff\xff"), []string{"close 1007 message can't be decompressed", "eof"}},
	{"7.2.2 compressed text must be UTF-8 when it is not compressed any more",
		masked(true, rsv1, frame.Text, deflated("\xce\xba\xff")), []string{"close 1007 text is not UTF-8", "eof"}},
	{"7.2.3.1 one compressed block",
		join(masked(true, rsv1, frame.Text, helloCompressed), closeFrame(1000, "")), []string{`text "Hello"`, "close 1000", "eof"}},
	{"7.2.3.1 one compressed block in two fragments",
		join(masked(false, rsv1, frame.Text, "\xf2\x48\xcd"), masked(true, 0, frame.Continuation, "\xc9\xc9\x07\x00"), closeFrame(1000, "")),
		[]string{`text "Hello"`, "close 1000", "eof"}},
	{"7.2.3.3 a block that is not compressed",
		join(masked(true, rsv1, frame.Text, helloStored), closeFrame(1000, "")), []string{`text "Hello"`, "close 1000", "eof"}},
	{"7.2.3.4 a block with BFINAL, and the next message after it",
		join(masked(true, rsv1, frame.Text, helloFinal), masked(true, rsv1, frame.Text, helloCompressed), text("plain"), closeFrame(1000, "")),
		[]string{`text "Hello"`, `text "Hello"`, `text "plain"`, "close 1000", "eof"}},
	{"7.2.3.4 what follows BFINAL is skipped, however long",
		join(masked(true, rsv1, frame.Text, helloFinal+strings.Repeat("\x81\x00", 10_000)), masked(true, rsv1, frame.Text, helloCompressed), closeFrame(1000, "")),
		[]string{`text "Hello"`, `text "Hello"`, "close 1000", "eof"}},
	{"7.2.3.5 two blocks in one message",
		join(masked(true, rsv1, frame.Text, helloTwoBlocks), closeFrame(1000, "")), []string{`text "Hello"`, "close 1000", "eof"}},
}

func TestRFC7692(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	s := start(t, cfg)
	for _, c := range rfc7692 {
		t.Run(c.name, func(t *testing.T) {
			for _, segment := range []int{len(c.send), 1} {
				p := s.openWith(t, offer(""))
				go func() {
					for _, piece := range split(c.send, []byte{byte(min(segment, 255))}) {
						if _, err := p.Write(piece); err != nil {
							return // the server has failed the connection already
						}
					}
				}()
				var got []string
				for len(got) == 0 || got[len(got)-1] != "eof" {
					got = append(got, p.next())
				}
				require.Equal(t, c.want, got)
			}
		})
	}
}

// openWith does a handshake with one more header line.
func (s *server) openWith(t *testing.T, header string) *peer {
	t.Helper()
	p := s.connect(t)
	p.send([]byte(goodRequest + header + "\r\n"))
	require.Equal(t, http.StatusSwitchingProtocols, p.response().StatusCode)
	return p
}

func TestRFC7692Negotiation(t *testing.T) {
	cfg := defaults()
	cfg.Compression = true
	on, off := start(t, cfg), start(t, defaults())
	const accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for name, c := range map[string]struct{ header, want string }{
		"no offer":                                                          {"", ""},
		"7.1 an offer without parameters":                                   {offer(""), accepted},
		"5 another extension":                                               {"Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n", ""},
		"5 an extension whose name only begins so":                          {"Sec-WebSocket-Extensions: permessage-deflate2\r\n", ""},
		"5 the second offer is acceptable":                                  {offer("; server_max_window_bits=10, permessage-deflate"), accepted},
		"5 the second header line is acceptable":                            {offer("; mystery") + offer(""), accepted},
		"5.1 an unknown parameter":                                          {offer("; mystery"), ""},
		"5.1 a parameter given twice":                                       {offer("; client_max_window_bits; client_max_window_bits=10"), ""},
		"7.1.1.1 server_no_context_takeover":                                {offer("; server_no_context_takeover"), accepted},
		"7.1.1.1 which has no value":                                        {offer("; server_no_context_takeover=1"), ""},
		"7.1.1.2 client_no_context_takeover":                                {offer("; client_no_context_takeover; server_no_context_takeover"), accepted},
		"7.1.2.1 server_max_window_bits is declined, gorilla can't keep it": {offer("; server_max_window_bits=15"), ""},
		"7.1.2.2 client_max_window_bits without a value":                    {offer("; client_max_window_bits"), accepted},
		"7.1.2.2 client_max_window_bits=8":                                  {offer("; client_max_window_bits=8"), accepted},
		"7.1.2.2 a quoted value":                                            {offer(`; client_max_window_bits="12"`), accepted},
		"7.1.2.2 client_max_window_bits=16":                                 {offer("; client_max_window_bits=16"), ""},
		"7.1.2.2 client_max_window_bits=08":                                 {offer("; client_max_window_bits=08"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := on.connect(t)
			p.send([]byte(goodRequest + c.header + "\r\n"))
			resp := p.response()
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			require.Equal(t, c.want, resp.Header.Get("Sec-WebSocket-Extensions"))
			if c.want == "" {
				p.send(masked(true, rsv1, frame.Text, helloCompressed))
				require.Equal(t, "close 1002 reserved bit is set", p.next(), "not negotiated, so not allowed")
			}
			p = off.connect(t)
			p.send([]byte(goodRequest + c.header + "\r\n"))
			require.Empty(t, p.response().Header.Values("Sec-WebSocket-Extensions"))
		})
	}
}
