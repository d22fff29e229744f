//go:build linux

package session_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session"
)

// Requests without an upgrade: those that Config.Plain answers, and the others.
func TestPlain(t *testing.T) {
	cfg := defaults()
	cfg.Plain = func(r *http.Request) []byte {
		if r.URL.Path != "/" {
			return nil
		}
		return []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage")
	}
	s := start(t, cfg)
	for name, c := range map[string]struct {
		request string
		status  int
		plain   uint64
	}{
		"answered":                 {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, 1},
		"answered, the rest not":   {"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, 1},
		"no answer":                {"GET /other HTTP/1.1\r\nHost: h\r\n\r\n", 404, 0},
		"an upgrade is none of it": {goodRequest + "\r\n", 101, 0},
	} {
		t.Run(name, func(t *testing.T) {
			st := s.shard.Stats()
			before, gone := st.Plain.Load(), st.Rejected[session.RejectGone].Load()
			p := s.connect(t)
			p.send([]byte(c.request))
			resp := p.response()
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, c.plain, st.Plain.Load()-before)
			if c.status == 101 {
				return
			}
			_, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			_, err = p.r.ReadByte()
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, gone, st.Rejected[session.RejectGone].Load(), "it had its answer")
		})
	}
	s.SetDraining()
	p := s.connect(t)
	p.send([]byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	require.Equal(t, http.StatusServiceUnavailable, p.response().StatusCode)
}
