//go:build linux

package engine

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// acceptGUID is fixed by RFC 6455 section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// requestHead is the handshake of a target, up to the value of its key.
func requestHead(t Target) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"User-Agent: wsload\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ", t.Path, t.Host)
}

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
func parseAnswer(p []byte, key string) (size int, err error) {
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
	return size, checkHeaders(headers, acceptOf(key))
}

// checkHeaders does what RFC 6455 section 4.1 asks of a client. Neither an
// extension nor a subprotocol was offered.
func checkHeaders(headers []byte, accept string) error {
	var upgrade, connection, accepted bool
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
		case strings.EqualFold(name, "Sec-WebSocket-Extensions"), strings.EqualFold(name, "Sec-WebSocket-Protocol"):
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
