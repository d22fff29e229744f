//go:build linux

package session

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// checkRequest refuses what is HTTP, but not the HTTP of a handshake.
func checkRequest(r *http.Request, head []byte) error {
	switch hosts := countHosts(head); {
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return errRefused{RejectVersion, fmt.Sprintf("%s: a WebSocket handshake is HTTP/1.1", r.Proto)}
	case hosts != 1: // RFC 9112 section 3.2
		return errRefused{RejectMalformed, fmt.Sprintf("the request has %d Host headers", hosts)}
	case !validFields(r.Header, head):
		return errRefused{RejectMalformed, "a header has characters that it must not have"}
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return errRefused{RejectMalformed, "a WebSocket handshake has no body"}
	}
	return nil
}

// validFields reports what net/http leaves to its server: no space before a colon
// (RFC 9112 section 5.1), no control characters (RFC 9110 section 5.5).
func validFields(h http.Header, head []byte) bool {
	for name := range h {
		if strings.Contains(name, " ") {
			return false
		}
	}
	for _, c := range head {
		if c < ' ' && c != '\r' && c != '\n' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// countHosts counts the Host headers: net/http keeps only one.
func countHosts(head []byte) (n int) {
	const name = "host:"
	for line := range bytes.Lines(head) {
		if len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			n++
		}
	}
	return n
}
