package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// coderServer has a goroutine for each connection. Ping waits for its pong, so that
// pinging takes another one.
type coderServer struct {
	heartbeat
	clients members[*websocket.Conn]
}

func newCoder(h heartbeat) server { return &coderServer{heartbeat: h} }

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
		if s.on() {
			pingCtx, stop := context.WithCancel(ctx)
			defer stop()
			go s.watch(pingCtx, c)
		}
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

// watch pings c until ctx is done, and ends it when a pong takes too long.
func (s *coderServer) watch(ctx context.Context, c *websocket.Conn) {
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		pingCtx, cancel := context.WithTimeout(ctx, s.timeout)
		err := c.Ping(pingCtx)
		cancel()
		if err != nil {
			_ = c.CloseNow()
			return
		}
		pongs.Add(1)
	}
}

func (s *coderServer) broadcast(payload []byte) {
	s.clients.each(func(c *websocket.Conn) { _ = c.Write(context.Background(), websocket.MessageText, payload) })
}
