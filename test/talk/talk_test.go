//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// relay is a server as talk expects it. It hands every message on as often as copies
// says, as change wants it.
type relay struct {
	copies func(text string) int
	change func(text string) string

	mu      sync.Mutex
	members map[string][]*websocket.Conn
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	conn, err := new(websocket.Upgrader).Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	channel := req.URL.Query().Get("channel")
	r.mu.Lock()
	r.members[channel] = append(r.members[channel], conn)
	r.mu.Unlock()
	for {
		_, p, err := conn.ReadMessage()
		if err != nil {
			return
		}
		r.mu.Lock()
		for range r.copies(string(p)) {
			for _, m := range r.members[channel] {
				_ = m.WriteMessage(websocket.TextMessage, []byte(r.change(string(p))))
			}
		}
		r.mu.Unlock()
	}
}

func once(string) int         { return 1 }
func same(text string) string { return text }

// against runs talk against r.
func against(t *testing.T, r *relay, args ...string) (report, error) {
	t.Helper()
	r.members = map[string][]*websocket.Conn{}
	srv := httptest.NewServer(r)
	defer srv.CloseClientConnections()
	file := filepath.Join(t.TempDir(), "report.json")
	args = append(args, "-warm", "50ms", "-for", "300ms", "-json", file, srv.Listener.Addr().String())
	if err := run(args, io.Discard, os.Stderr); err != nil {
		return report{}, err
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var rep report
	require.NoError(t, json.Unmarshal(raw, &rep))
	return rep, nil
}

func TestTalk(t *testing.T) {
	for _, args := range []string{"-connections 12 -channels 3 -window 8", "-connections 12 -channels 12 -rate 200"} {
		rep, err := against(t, &relay{copies: once, change: same}, strings.Fields(args)...)
		require.NoError(t, err, args)
		require.Positive(t, rep.Published, args)
		require.GreaterOrEqual(t, rep.P99, rep.P50, args)
		require.Positive(t, rep.P50, args)
		members := 4
		if strings.Contains(args, "-channels 12") {
			members = 1
		}
		// Those under way at the beginning and at the end are in one figure only.
		require.InDelta(t, members*rep.Published, rep.Deliveries, float64(members*rep.Published)/2+100, args)
	}
}

// What is lost, doubled or damaged fails the run.
func TestFaults(t *testing.T) {
	third := strconv.FormatInt(1<<32+2, 16)[1:]
	copies := func(n int) func(string) int {
		return func(text string) int {
			if strings.HasPrefix(text, third) {
				return n
			}
			return 1
		}
	}
	for name, c := range map[string]struct {
		relay *relay
		want  string
	}{
		"lost":    {&relay{copies: copies(0), change: same}, "message 00000003 came to a member that awaits 00000002"},
		"doubled": {&relay{copies: copies(2), change: same}, "message 00000002 came to a member that awaits 00000003"},
		"damaged": {&relay{copies: once, change: func(text string) string { return strings.Replace(text, "xyz", "xyy", 1) }}, "damaged message"},
	} {
		_, err := against(t, c.relay, "-connections", "2")
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "address:port",
		"localhost":                            `"localhost"`,
		"-channels 5 -connections 4 1.2.3.4:5": "-channels 5",
		"-size 4 1.2.3.4:5":                    "-size 4",
		"-window 0 1.2.3.4:5":                  "-window 0",
		"-rate -1 1.2.3.4:5":                   "-rate -1",
	} {
		_, err := parseConfig(strings.Fields(args), io.Discard)
		require.ErrorContains(t, err, want, args)
	}
}
