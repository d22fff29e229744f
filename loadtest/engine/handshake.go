//go:build linux

package engine

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// acceptGUID is fixed by RFC 6455 section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Handshake is what the clients ask for beyond RFC 6455's minimum.
type Handshake struct {
	Headers []Header `json:"headers,omitempty"` // Host and User-Agent replace the usual ones
	// Offered are the subprotocols in the request.
	Offered []string `json:"offered,omitempty"`
	// Accepted are those of them that the answer may name; unless there are
	// none it must name one.
	Accepted []string `json:"accepted,omitempty"`
}

// Header is one line of the request.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// request is the handshake of a target, around the name of a channel and up to the
// value of its key.
type request struct{ before, after []byte }

func newRequest(t Target, h *Handshake) request {
	host, agent, others := t.Host, "wsload", []byte(nil)
	for _, header := range h.Headers {
		switch {
		case strings.EqualFold(header.Name, "Host"):
			host = header.Value
		case strings.EqualFold(header.Name, "User-Agent"):
			agent = header.Value
		default:
			others = fmt.Appendf(others, "%s: %s\r\n", header.Name, header.Value)
		}
	}
	if len(h.Offered) > 0 {
		others = fmt.Appendf(others, "Sec-WebSocket-Protocol: %s\r\n", strings.Join(h.Offered, ", "))
	}
	return request{
		before: []byte("GET " + t.Path),
		after: fmt.Appendf(nil, " HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"User-Agent: %s\r\n%sSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ", host, agent, others),
	}
}

func (c *client) appendRequest(dst []byte) []byte {
	e := c.e
	r := e.requests[c.targetIndex()]
	dst = append(dst, r.before...)
	separator := byte('?')
	if bytes.IndexByte(r.before, '?') >= 0 {
		separator = '&'
	}
	if e.cfg.Channels > 1 {
		dst = append(append(dst, separator), "channel="...)
		dst = message.AppendChannel(dst, e.cfg.Run, c.channel())
		separator = '&'
	}
	if e.resuming != nil {
		dst = c.appendSince(dst, separator)
	}
	dst = append(dst, r.after...)
	dst = append(dst, c.key()...)
	return append(dst, "\r\n\r\n"...)
}

// key is the Sec-WebSocket-Key of c's present connection.
func (c *client) key() string { return key(c.e.cfg.Seed, c.number()|uint64(c.life)<<48) }

// key returns the Sec-WebSocket-Key of a connection. It follows from the seed,
// so that it need not be kept until the answer comes.
func key(seed, connection uint64) string {
	var nonce [16]byte
	first := message.Mix(seed ^ message.Mix(^connection))
	binary.LittleEndian.PutUint64(nonce[:], first)
	binary.LittleEndian.PutUint64(nonce[8:], message.Mix(first))
	return base64.StdEncoding.EncodeToString(nonce[:])
}

func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// parseAnswer checks the server's answer to the handshake with key and returns
// the size of its head, 0 if it is not whole yet.
func parseAnswer(p []byte, key string, h *Handshake) (size int, err error) {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end > maxHead || end < 0 && len(p) > maxHead {
		return 0, &failure{"too_large", fmt.Sprintf("the answer's header is larger than %d bytes", maxHead)}
	}
	if end < 0 {
		return 0, nil
	}
	size = end + 4
	line, headers, _ := bytes.Cut(p[:end], []byte("\r\n"))
	version, rest, _ := bytes.Cut(line, []byte{' '})
	status, _, _ := bytes.Cut(rest, []byte{' '})
	if string(version) != "HTTP/1.1" || len(status) != 3 {
		return 0, &failure{"not_http", "not an HTTP/1.1 answer: " + quote(line)}
	}
	if string(status) != "101" {
		text := string(line)
		if body := bytes.TrimSpace(p[size:]); len(body) > 0 {
			text += ": " + quote(body)
		}
		return 0, &failure{"http_" + string(status), text}
	}
	return size, checkHeaders(headers, acceptOf(key), h)
}

// checkHeaders does what RFC 6455 section 4.1 asks of a client. No extension was
// offered.
func checkHeaders(headers []byte, accept string, h *Handshake) error {
	var upgrade, connection, accepted bool
	var subprotocol string
	for len(headers) > 0 {
		var line []byte
		line, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		rawName, rawValue, _ := bytes.Cut(line, []byte{':'})
		name, value := string(rawName), string(bytes.TrimSpace(rawValue))
		switch {
		case strings.EqualFold(name, "Upgrade"):
			upgrade = strings.EqualFold(value, "websocket")
		case strings.EqualFold(name, "Connection"):
			connection = connection || hasToken(value, "upgrade")
		case strings.EqualFold(name, "Sec-WebSocket-Accept"):
			accepted = value == accept
		case strings.EqualFold(name, "Sec-WebSocket-Protocol"):
			subprotocol = value
		case strings.EqualFold(name, "Sec-WebSocket-Extensions"):
			if value != "" {
				return &failure{"bad_answer", name + ": " + value + " was not asked for"}
			}
		}
	}
	switch {
	case !upgrade:
		return &failure{"bad_answer", "the answer lacks Upgrade: websocket"}
	case !connection:
		return &failure{"bad_answer", "the answer lacks Connection: Upgrade"}
	case !accepted:
		return &failure{"bad_accept", "Sec-WebSocket-Accept is missing or wrong"}
	}
	return h.checkSubprotocol(subprotocol)
}

func (h *Handshake) checkSubprotocol(answered string) error {
	switch {
	case answered == "" && len(h.Accepted) > 0:
		return &failure{"bad_subprotocol", "the answer names no subprotocol, want " + strings.Join(h.Accepted, " or ")}
	case answered != "" && !slices.Contains(h.Accepted, answered):
		return &failure{"bad_subprotocol", "Sec-WebSocket-Protocol: " + answered + " was not asked for"}
	}
	return nil
}

func hasToken(list, token string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}
