//go:build linux

package session_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzHandshake: whatever comes, in whatever pieces, is answered with the same
// valid HTTP, or waited for within the limit.
func FuzzHandshake(f *testing.F) {
	cfg := defaults()
	cfg.HandshakeLimit = 1024
	cfg.AllowOrigin = func(origin string) bool { return origin == "https://app.example" }
	cfg.ReadLimit = 256
	cfg.Plain = func(r *http.Request) []byte {
		if r.Method != http.MethodGet || r.URL.Path != "/" {
			return nil
		}
		return []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage")
	}
	b := newBench(f, cfg)
	for _, seed := range []string{
		goodRequest + "\r\n",
		goodRequest + "Origin: https://app.example\r\nSec-WebSocket-Protocol: chat, x\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
		goodRequest + "Origin: https://evil.example\r\n\r\n",
		goodRequest + "\r\n" + string(text("early")),
		strings.Replace(goodRequest, "GET / ", "GET /ws?channel=a%20b ", 1) + "\r\n",
		strings.Replace(goodRequest, "13", "8", 1) + "\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "GET http://h/ HTTP/1.0\r\n\r\n",
		"\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2000),
	} {
		f.Add([]byte(seed), []byte{})
		f.Add([]byte(seed), []byte{7, 0, 100})
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		if len(data) > 8<<10 {
			return
		}
		// Twice the limits for the growth of slices, and a chunk of 64 KiB may
		// have been kept whole.
		held := 4*(cfg.HandshakeLimit+cfg.ReadLimit) + 2*len(data)
		whole := b.run(t, split(data, nil), held)
		if whole.waits {
			require.Empty(t, whole.answer)
			require.LessOrEqual(t, len(data), cfg.HandshakeLimit)
		} else {
			checkAnswer(t, data, whole)
		}
		pieces := b.run(t, split(data, cuts), held)
		require.Equal(t, whole.waits, pieces.waits)
		require.Equal(t, whole.ended, pieces.ended)
		require.Equal(t, string(whole.answer), string(pieces.answer))
	})
}

func checkAnswer(t *testing.T, data []byte, x exchange) {
	r := bufio.NewReader(bytes.NewReader(x.answer))
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err, "%q", x.answer)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		require.True(t, slices.Contains([]int{200, 400, 403, 404, 405, 426, 431, 505}, resp.StatusCode), "%q", x.answer)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, resp.ContentLength, int64(len(body)))
		_, err = r.ReadByte()
		require.ErrorIs(t, err, io.EOF, "nothing follows")
		require.True(t, x.ended)
		return
	}
	// Accepted, so it was asked for as RFC 6455 section 4.2.1 demands.
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
	require.NoError(t, err)
	require.Equal(t, http.MethodGet, req.Method)
	require.Contains(t, strings.ToLower(strings.Join(req.Header["Connection"], ",")), "upgrade")
	require.Contains(t, strings.ToLower(strings.Join(req.Header["Upgrade"], ",")), "websocket")
	require.NotEmpty(t, req.Header.Get("Sec-WebSocket-Key"))
	origin := req.Header.Get("Origin")
	require.True(t, origin == "" || origin == "https://app.example", "origin %q", origin)
	require.Len(t, resp.Header.Get("Sec-WebSocket-Accept"), 28)
}
