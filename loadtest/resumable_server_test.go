//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/wsfleet/wsfleet/server/position"
)

// resumable is a server with a history of one channel, which its clients may have from
// a position on. fault names what it does wrong to each that comes back.
type resumable struct {
	fault string
	// least is how many messages a client must have missed before it may come back.
	least int
	stop  func() // the server that was started last

	mu      sync.Mutex // guards the following
	epoch   string
	log     [][]byte // of offsets 1, 2, …
	conns   []*resumableConn
	back    int
	refused int // values of since that it could not read
	unsent  int // messages that those who came back were never sent
	wrong   int // messages with a wrong header, or none
}

type resumableConn struct {
	ws     *websocket.Conn
	server string // host:port that it came to
	bare   bool   // gets messages without a header
	alien  bool   // gets headers of another channel
	lost   int    // what the next header is to say
}

func newResumable(fault string) *resumable {
	return &resumable{fault: fault, least: 3, epoch: "first"}
}

// start serves on one more address.
func (s *resumable) start(t *testing.T) (url, publish string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.serve)
	mux.HandleFunc("POST /publish", s.publish)
	server := httptest.NewServer(mux)
	s.stop = func() {
		server.Listener.Close()
		s.each(func(c *resumableConn) { c.ws.Close() })
		server.Close()
	}
	t.Cleanup(s.stop)
	return strings.Replace(server.URL, "http", "ws", 1), server.URL + "/publish"
}

func (s *resumable) each(do func(*resumableConn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		do(c)
	}
}

// restart closes all connections as a node does that is to be started again.
func (s *resumable) restart() {
	s.each(func(c *resumableConn) {
		_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseServiceRestart, ""), time.Now().Add(time.Second))
	})
}

func (s *resumable) publish(_ http.ResponseWriter, r *http.Request) {
	p, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, p)
	for _, c := range s.conns {
		s.send(c, len(s.log))
	}
}

func (s *resumable) send(c *resumableConn, offset int) {
	header := fmt.Sprintf(`{"channel":"broadcast","position":"%s:%d"}`, s.epoch, offset)
	switch {
	case c.bare:
		header = ""
		s.wrong++
	case c.alien:
		s.wrong++
		header = strings.Replace(header, "broadcast", "other", 1)
	case c.lost != 0:
		header = strings.Replace(header, "}", fmt.Sprintf(`,"lost":%d}`, c.lost), 1)
	}
	c.lost = 0
	if header != "" {
		header += "\n"
	}
	_ = c.ws.WriteMessage(websocket.TextMessage, append([]byte(header), s.log[offset-1]...))
}

func (s *resumable) serve(w http.ResponseWriter, r *http.Request) {
	since, err := position.Parse(r.URL.Query().Get("since"))
	isBack := r.URL.RawQuery != "since="
	if isBack && (err != nil || r.URL.RawQuery != "channel=broadcast&since="+since.String()) {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		http.Error(w, r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	if isBack {
		s.waitFor(int(since.Offset) + s.least)
	}
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	s.join(&resumableConn{ws: ws, server: r.Host}, since, isBack)
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
}

func (s *resumable) waitFor(published int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s.mu.Lock()
		n := len(s.log)
		s.mu.Unlock()
		if n >= published {
			return
		}
	}
}

// join makes c one that gets what is published, and at first what it has missed.
func (s *resumable) join(c *resumableConn, from position.Position, isBack bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
	say := func(p position.Position, more string) {
		_ = c.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"subscribed":"broadcast","position":"%s"%s}`, p, more))
	}
	newest := position.Position{Epoch: s.epoch, Offset: uint64(len(s.log))}
	if !isBack {
		say(newest, "")
		return
	}
	s.back++
	since := int(from.Offset)
	next := since + 1
	recovered := `,"recovered":true`
	switch s.fault {
	case "too old":
		say(newest, `,"recovered":false,"reason":"long gone"`)
		s.unsent += len(s.log) - since
		return
	case "says so, and does not":
		say(newest, recovered)
		s.unsent += len(s.log) - since
		return
	case "silent":
	case "speaks twice":
		say(from, recovered)
		say(from, recovered)
	case "another channel":
		_ = c.ws.WriteMessage(websocket.TextMessage, []byte(`{"subscribed":"other","position":"first:1"}`))
		say(from, recovered)
	case "not JSON":
		_ = c.ws.WriteMessage(websocket.TextMessage, []byte(`{"subscribed":"broadcast"`))
		say(from, recovered)
	case "new epoch":
		say(from, recovered)
		s.epoch = "second"
	default:
		say(from, recovered)
	}
	switch s.fault {
	case "gap":
		next++
		s.unsent++
	case "double":
		s.send(c, next)
	case "swap":
		s.send(c, next+1)
		s.send(c, next)
		next += 2
	case "told":
		next++
		s.unsent++
		c.lost = 1
	case "told wrongly":
		next++
		s.unsent++
		c.lost = 2
	case "unknown":
		c.lost = -1
	}
	for ; next <= len(s.log); next++ {
		s.send(c, next)
	}
	c.bare, c.alien = s.fault == "bare", s.fault == "alien"
}
