//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // for pageHTML
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/wsfleet/wsfleet/server/session"
)

// pageHTML is the page for people: it talks to the node that served it.
//
//go:embed page.html
var pageHTML []byte

// page answers what browsers ask of the WebSocket port besides handshakes: the
// page at / and the number of connections at /count.
type page struct {
	whole       []byte       // the answer to GET /
	name        string       // tells the nodes behind a balancer apart, and nothing else
	connections func() int64 // open WebSocket connections of this node
}

func newPage(connections func() int64) *page {
	// Only the page's own script and style run, and they reach only this host.
	csp := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		cspHash("script"), cspHash("style"))
	return &page{
		whole:       httpOK("text/html; charset=utf-8", "Content-Security-Policy: "+csp+"\r\nReferrer-Policy: no-referrer\r\n", pageHTML),
		name:        rand.Text()[:6],
		connections: connections,
	}
}

// answer returns the whole answer to r, nil if there is none here.
func (p *page) answer(r *http.Request) []byte {
	switch {
	case r.Method != http.MethodGet:
		return nil
	case r.URL.Path == "/":
		return p.whole
	case r.URL.Path == "/count":
		return httpOK("application/json", "Cache-Control: no-store\r\n",
			fmt.Appendf(nil, "{\"node\":%q,\"connections\":%d}\n", p.name, p.connections()))
	}
	return nil
}

func httpOK(contentType, headers string, body []byte) []byte {
	b := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\nX-Content-Type-Options: nosniff\r\n%s\r\n",
		contentType, len(body), headers)
	return append(b, body...)
}

// cspHash returns the source expression that allows the page's inline element.
func cspHash(element string) string {
	_, rest, _ := bytes.Cut(pageHTML, []byte("<"+element+">"))
	content, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	sum := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// openSessions returns how many WebSocket connections are open, without those in
// handshake.
func (n *node) openSessions() (sum int64) {
	for _, s := range n.shards {
		st := s.sessions.Stats()
		var closed uint64 // read before opened: the difference must never be negative
		for _, r := range session.Reasons() {
			closed += st.Closed[r].Load()
		}
		sum += int64(st.Opened.Load() - closed)
	}
	return sum
}
