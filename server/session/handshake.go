//go:build linux

package session

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/websocket"
)

var headerEnd = []byte("\r\n\r\n")

// errRefused marks the outcome of an upgrade that was refused.
type errRefused struct {
	why  Rejection
	text string
}

func (e errRefused) Error() string { return e.text }

// handshake collects the request until it is whole, then answers it.
func (s *Session) handshake(p []byte) {
	if s.partial != nil {
		s.partial.buf = append(s.partial.buf, p...)
		p = s.partial.buf
	}
	end := bytes.Index(p, headerEnd)
	limit := s.shard.srv.cfg.HandshakeLimit
	switch {
	case end+len(headerEnd) > limit, end < 0 && len(p) > limit:
		s.refuse(errRefused{RejectTooLarge, fmt.Sprintf("the request header is larger than %d bytes", limit)})
	case end < 0:
		if s.partial == nil {
			s.partial = &partial{buf: bytes.Clone(p)}
		}
	default:
		end += len(headerEnd)
		if err := s.upgrade(p[:end]); err != nil {
			s.refuse(err)
			return
		}
		s.partial = nil
		if early := p[end:]; len(early) > 0 && !s.Closed() {
			s.frames(early)
		}
	}
}

// upgrade answers the whole request head and opens the session.
func (s *Session) upgrade(head []byte) error {
	sh := s.shard
	sh.reader.Reset(bytes.NewReader(head))
	r, err := http.ReadRequest(sh.reader)
	if err != nil {
		return errRefused{RejectMalformed, "malformed request: " + err.Error()}
	}
	switch {
	case sh.srv.Draining():
		return errRefused{RejectDraining, "this node is draining"}
	case sh.overCapacity():
		return errRefused{RejectCapacity, "this node is full"}
	case !sh.servesPath(r.URL.Path):
		return errRefused{RejectNotFound, fmt.Sprintf("no WebSocket at %q", r.URL.Path)}
	case r.Method != http.MethodGet:
		return errRefused{RejectMethod, fmt.Sprintf("method %s: a WebSocket handshake is a GET", r.Method)}
	}
	answer, err := sh.upgrade.run(r)
	if err != nil {
		return err
	}
	if s.Write(answer) != nil {
		return nil // closed; OnClose has counted it
	}
	s.opened(r)
	return nil
}

// refuse answers with the status of the rejection and closes once the peer has
// had a chance to read it.
func (s *Session) refuse(err error) {
	refused := errRefused{RejectMalformed, err.Error()}
	errors.As(err, &refused)
	s.shard.reject(refused.why)
	if s.Write(s.shard.refusal(refused.why, refused.text)) == nil {
		s.discard()
	}
}

// refusal builds the HTTP answer that refuses a handshake.
func (sh *Shard) refusal(why Rejection, text string) []byte {
	var b bytes.Buffer
	status := why.Status()
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\n", status, http.StatusText(status))
	switch status {
	case http.StatusServiceUnavailable:
		fmt.Fprintf(&b, "Retry-After: %d\r\n", max(1, int(sh.srv.cfg.RetryAfter.Seconds())))
	case http.StatusUpgradeRequired:
		b.WriteString("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
	case http.StatusMethodNotAllowed:
		b.WriteString("Allow: GET\r\n")
	}
	fmt.Fprintf(&b, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s\n", len(text)+1, text)
	return b.Bytes()
}

// upgradeScratch runs gorilla's Upgrader over memory, with one set of buffers for
// all handshakes of a shard: the gorilla Conn it makes is not kept.
type upgradeScratch struct {
	upgrader websocket.Upgrader
	response response
	pipe     pipe
	refused  error
}

func (u *upgradeScratch) init(origins []string) {
	u.response.conn = &u.pipe
	u.response.brw = bufio.NewReadWriter(bufio.NewReaderSize(&u.pipe, 4096), bufio.NewWriterSize(&u.pipe, 4096))
	u.upgrader.CheckOrigin = func(r *http.Request) bool {
		origin := r.Header.Get("Origin")
		return origin == "" || len(origins) == 0 || slices.Contains(origins, origin)
	}
	u.upgrader.Error = func(_ http.ResponseWriter, r *http.Request, status int, reason error) {
		why := RejectMalformed
		switch {
		case status == http.StatusForbidden:
			why = RejectOrigin
		case status == http.StatusUpgradeRequired || r.Header.Get("Upgrade") == "" || r.Header.Get("Sec-Websocket-Version") != "13":
			why = RejectNotWebSocket
		}
		u.refused = errRefused{why, strings.TrimPrefix(reason.Error(), "websocket: ")}
	}
}

// run returns the answer that accepts the handshake, valid until the next run,
// or the refusal.
func (u *upgradeScratch) run(r *http.Request) ([]byte, error) {
	u.pipe.out, u.refused = u.pipe.out[:0], nil
	u.response.header = nil
	if _, err := u.upgrader.Upgrade(&u.response, r, nil); err != nil {
		if u.refused != nil {
			return nil, u.refused
		}
		return nil, err
	}
	return u.pipe.out, nil
}

// response is the http.ResponseWriter that gorilla's Upgrader hijacks. What an
// upgrade writes is collected in conn.out; refusals go through Upgrader.Error.
type response struct {
	conn   *pipe
	brw    *bufio.ReadWriter
	header http.Header
}

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *response) WriteHeader(int)             {}
func (w *response) Write(b []byte) (int, error) { return len(b), nil }

func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.conn, w.brw, nil }
