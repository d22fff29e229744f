//go:build linux

package session

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
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
	p, ok := s.preamble(p)
	if !ok {
		return
	}
	end := bytes.Index(p, headerEnd)
	limit := s.shard.srv.cfg.HandshakeLimit
	switch {
	case len(p) > 0 && !isLetter(p[0]): // TLS, or noise: its end need not be waited for
		s.refuse(errRefused{RejectMalformed, "this is no HTTP request"})
	case end+len(headerEnd) > limit, end < 0 && len(p) > limit:
		s.refuse(errRefused{RejectTooLarge, fmt.Sprintf("the request header is larger than %d bytes", limit)})
	case end < 0:
		s.keep(p)
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

func isLetter(c byte) bool { return 'A' <= c&^0x20 && c&^0x20 <= 'Z' }

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
	case sh.srv.cfg.MemoryShort != nil && sh.srv.cfg.MemoryShort():
		return errRefused{RejectMemory, "this node is short of memory"}
	case s.plain(r):
		return nil
	case !sh.servesPath(r.URL.Path):
		return errRefused{RejectNotFound, fmt.Sprintf("no WebSocket at %q", r.URL.Path)}
	case r.Method != http.MethodGet:
		return errRefused{RejectMethod, fmt.Sprintf("method %s: a WebSocket handshake is a GET", r.Method)}
	}
	if err := checkRequest(r, head); err != nil {
		return err
	}
	deflate := sh.srv.cfg.Compression && chooseDeflate(r)
	answer, err := sh.upgrade.run(r)
	if err != nil {
		return err
	}
	if err := s.admit(r); err != nil {
		return err
	}
	// The answer leaves after Open has run, with all that Open sends: a client that
	// has it must find its subscriptions in force.
	sh.out = append(sh.out, answer...)
	if deflate {
		s.deflate = true
		sh.srv.deflating.Add(1)
	}
	s.opened(r)
	return nil
}

// plain answers a request that is none for an upgrade, if there is an answer, and
// closes: a connection that is kept is a WebSocket.
func (s *Session) plain(r *http.Request) bool {
	sh := s.shard
	if sh.srv.cfg.Plain == nil || r.Header.Get("Upgrade") != "" {
		return false
	}
	answer := sh.srv.cfg.Plain(r)
	if answer == nil {
		return false
	}
	sh.stats.Plain.Add(1)
	if s.Write(answer) == nil {
		s.discard()
	}
	return true
}

// refuse answers with the status of the rejection and closes once the peer has
// had a chance to read it.
func (s *Session) refuse(err error) {
	refusal := refusalOf(err)
	s.shard.reject(refusal.Why)
	if s.Write(s.shard.refusal(refusal)) == nil {
		s.discard()
	}
}

// refusal builds the HTTP answer that refuses a handshake.
func (sh *Shard) refusal(r *Refusal) []byte {
	var b bytes.Buffer
	status := r.Why.Status()
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\n", status, http.StatusText(status))
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		fmt.Fprintf(&b, "Retry-After: %d\r\n", sh.retryAfter(r))
	case http.StatusUnauthorized:
		fmt.Fprintf(&b, "WWW-Authenticate: %s\r\n", r.Challenge)
	case http.StatusUpgradeRequired:
		b.WriteString("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
	case http.StatusMethodNotAllowed:
		b.WriteString("Allow: GET\r\n")
	}
	fmt.Fprintf(&b, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s\n", len(r.Text)+1, r.Text)
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

func (u *upgradeScratch) init(allow func(origin string) bool) {
	u.response.conn = &u.pipe
	u.response.brw = bufio.NewReadWriter(bufio.NewReaderSize(&u.pipe, 4096), bufio.NewWriterSize(&u.pipe, 4096))
	u.upgrader.CheckOrigin = func(r *http.Request) bool {
		origin := r.Header.Get("Origin")
		return origin == "" || allow == nil || allow(origin)
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
