//go:build linux

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// listener is a client that can resume.
type listener struct {
	*websocket.Conn
	t  *testing.T
	at map[string]string // channel → position of the last message
}

// said is what a resumable client is sent: a message with its header, or an answer.
type said struct {
	header  header
	payload string
	joined  subscribed
	left    string // unsubscribed
	failed  string // error
	plain   bool   // no header: an answer of the handler
}

// listen dials with since and what else the query has.
func (n *testNode) listen(query string) *listener {
	n.t.Helper()
	return &listener{n.dial("?" + query), n.t, map[string]string{}}
}

func (l *listener) next() (s said) {
	l.t.Helper()
	head, payload, isMessage := strings.Cut(receive(l.t, l.Conn), "\n")
	var fields struct {
		Channel, Position, Subscribed, Unsubscribed, Reason, Error string
		Recovered                                                  bool
		Lost                                                       int64
	}
	if json.Unmarshal([]byte(head), &fields) != nil {
		return said{plain: true, payload: head}
	}
	s.header = header{fields.Channel, fields.Position, fields.Lost}
	s.joined = subscribed{fields.Subscribed, fields.Position, fields.Recovered, fields.Reason}
	s.payload, s.left, s.failed = payload, fields.Unsubscribed, fields.Error
	switch {
	case isMessage:
		l.at[s.header.Channel] = s.header.Position
	case fields.Subscribed != "":
		l.at[fields.Subscribed] = fields.Position
	}
	return s
}

// joined reads answers until each channel has one.
func (l *listener) joined(channels ...string) map[string]subscribed {
	l.t.Helper()
	got := map[string]subscribed{}
	for range channels {
		s := l.next().joined
		got[s.Channel] = s
	}
	for _, c := range channels {
		require.Contains(l.t, got, c)
	}
	return got
}

// expect reads payloads on a channel, without a gap.
func (l *listener) expect(channel string, payloads ...string) {
	l.t.Helper()
	for _, want := range payloads {
		s := l.next()
		require.Equal(l.t, channel, s.header.Channel, "%+v", s)
		require.Equal(l.t, want, s.payload)
		require.Zero(l.t, s.header.Lost)
	}
}

// query asks for channels from where l has them.
func (l *listener) query(channels ...string) string {
	q := url.Values{}
	for _, c := range channels {
		q.Add("channel", c)
		q.Add("since", l.at[c])
	}
	return q.Encode()
}

func (l *listener) say(text string) {
	l.t.Helper()
	require.NoError(l.t, l.WriteMessage(websocket.TextMessage, []byte(text)))
}

// publish posts each body to channel and returns the position of the last.
func (n *testNode) publish(channel string, bodies ...string) (position string) {
	n.t.Helper()
	for _, body := range bodies {
		resp, err := http.Post(n.admin+"/publish?channel="+url.QueryEscape(channel), "text/plain", strings.NewReader(body))
		require.NoError(n.t, err)
		resp.Body.Close()
		require.Equal(n.t, http.StatusNoContent, resp.StatusCode)
		position = resp.Header.Get(positionHeader)
	}
	return position
}
