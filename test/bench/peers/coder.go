package main

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

type coderServer struct{ clients members[*websocket.Conn] }

func (s *coderServer) serve(ln net.Listener) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		c.SetReadLimit(1 << 20)
		s.clients.add(c)
		defer func() { s.clients.remove(c); _ = c.CloseNow() }()
		ctx := context.Background()
		for {
			kind, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if c.Write(ctx, kind, append([]byte(echoPrefix), p...)) != nil {
				return
			}
		}
	}))
}

func (s *coderServer) broadcast(payload []byte) {
	s.clients.each(func(c *websocket.Conn) { _ = c.Write(context.Background(), websocket.MessageText, payload) })
}
