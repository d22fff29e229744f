//go:build linux

package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAcceptOfTheRFCsExample(t *testing.T) {
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", acceptOf("dGhlIHNhbXBsZSBub25jZQ=="))
}

func TestKeysAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for connection := range uint64(10_000) {
		k := key(7, connection)
		require.Len(t, k, 24)
		require.False(t, seen[k])
		seen[k] = true
		require.Equal(t, k, key(7, connection))
	}
	require.NotEqual(t, key(7, 1), key(8, 1))
}

func TestAnswersToTheHandshake(t *testing.T) {
	const k = "dGhlIHNhbXBsZSBub25jZQ=="
	good := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptOf(k) + "\r\n\r\n"
	for name, c := range map[string]struct{ answer, class string }{
		"gorilla's":            {good, ""},
		"other case, a list":   {strings.NewReplacer("Upgrade: websocket", "upgrade:WebSocket", "Connection: Upgrade", "CONNECTION: keep-alive , upgrade").Replace(good), ""},
		"no reason":            {strings.Replace(good, " Switching Protocols", "", 1), ""},
		"503":                  {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\nfull\n", "http_503"},
		"not HTTP":             {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not_http"},
		"wrong accept":         {strings.Replace(good, acceptOf(k), acceptOf("x"), 1), "bad_accept"},
		"accept of other case": {strings.Replace(good, acceptOf(k), strings.ToLower(acceptOf(k)), 1), "bad_accept"},
		"no upgrade":           {strings.Replace(good, "Upgrade: websocket\r\n", "", 1), "bad_answer"},
		"no connection":        {strings.Replace(good, "Connection: Upgrade\r\n", "", 1), "bad_answer"},
		"an extension":         {strings.Replace(good, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1), "bad_answer"},
		"endless":              {"HTTP/1.1 101 Yes\r\nX: " + strings.Repeat("x", maxHead), "too_large"},
	} {
		size, err := parseAnswer([]byte(c.answer), k, &Handshake{})
		if c.class == "" {
			require.NoError(t, err, name)
			require.Equal(t, len(c.answer), size, name)
			for cut := range c.answer {
				size, err := parseAnswer([]byte(c.answer[:cut]), k, &Handshake{})
				require.NoError(t, err, name)
				require.Zero(t, size, "%s, cut at %d", name, cut)
			}
			continue
		}
		require.Error(t, err, name)
		require.Equal(t, c.class, classify(err), name)
	}
}
