//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestTokensGetIn(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("secret", 8)
	n := startNode(t, "-jwt-keys", writeFile(t, secret))
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: "wsload", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	file := writeFile(t, token+"\n")
	for name, c := range map[string]struct {
		args []string
		url  string
	}{
		"header":                  {[]string{"-token", token}, n.url},
		"header, of a file":       {[]string{"-token-file", file}, n.url},
		"query":                   {[]string{"-token-file", file, "-token-in", "query"}, n.url},
		"query, behind another":   {[]string{"-token-file", file, "-token-in", "query"}, n.url + "?channel=a"},
		"subprotocol":             {[]string{"-token-file", file, "-token-in", "subprotocol"}, n.url},
		"subprotocol, of several": {[]string{"-token-file", file, "-token-in", "subprotocol", "-subprotocol", "chat"}, n.url},
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, append(c.args, "-a", "10", c.url)...)
			require.Zero(t, r.status, r.output())
			require.EqualValues(t, 10, r.report.Echo.OK)
			require.Equal(t, []string{c.url}, r.report.Targets, "the token stays out of the report")
		})
	}
	r := load(t, "-a", "10", "-token", token+"x", n.url)
	require.Equal(t, report.Classes{"handshake.http_401": 10}, r.report.Failures)
	r = load(t, "-a", "10", n.url)
	require.Equal(t, report.Classes{"handshake.http_401": 10}, r.report.Failures)
}

func TestHeadersArrive(t *testing.T) {
	t.Parallel()
	var (
		mu  sync.Mutex
		got []http.Header
	)
	upgrader := websocket.Upgrader{Subprotocols: []string{"second"}, CheckOrigin: func(*http.Request) bool { return true }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		r.Header.Set("Host", r.Host)
		got = append(got, r.Header)
		mu.Unlock()
		if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
			_, _, _ = ws.ReadMessage() // the close frame, which is answered
			ws.Close()
		}
	}))
	defer s.Close()
	r := load(t, "-a", "5", "-echo=false", "-header", "Origin: https://example.com", "-header", "X-Empty:", "-header", "host: other.example",
		"-header", "User-Agent: mine", "-header", "Cookie: a=b; c=d", "-subprotocol", "first, second", strings.Replace(s.URL, "http", "ws", 1))
	require.Zero(t, r.status, r.output())
	require.Len(t, got, 5)
	for _, h := range got {
		require.Equal(t, "https://example.com", h.Get("Origin"))
		require.Equal(t, []string{""}, h.Values("X-Empty"))
		require.Equal(t, "other.example", h.Get("Host"))
		require.Equal(t, []string{"mine"}, h.Values("User-Agent"))
		require.Equal(t, "a=b; c=d", h.Get("Cookie"))
		require.Equal(t, "first, second", h.Get("Sec-WebSocket-Protocol"))
	}
}
