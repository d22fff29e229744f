package main

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// gorillaServer has a goroutine for each connection, as gorilla's examples do, and a
// second one that pings, as its chat example does.
type gorillaServer struct {
	heartbeat
	clients members[*gorillaClient]
}

type gorillaClient struct {
	*websocket.Conn
	mu sync.Mutex // gorilla allows one writer at a time
}

func newGorilla(h heartbeat) server { return &gorillaServer{heartbeat: h} }

func (s *gorillaServer) serve(ln net.Listener) error {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &gorillaClient{Conn: conn}
		s.clients.add(c)
		defer func() { s.clients.remove(c); conn.Close() }()
		if s.on() {
			done := make(chan struct{})
			defer close(done)
			s.watch(c, done)
		}
		for {
			kind, p, err := conn.ReadMessage()
			if err != nil {
				return
			}
			c.mu.Lock()
			err = conn.WriteMessage(kind, append([]byte(echoPrefix), p...))
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}))
}

// watch pings c until done, and bounds its silence.
func (s *gorillaServer) watch(c *gorillaClient, done <-chan struct{}) {
	_ = c.SetReadDeadline(s.deadline())
	c.SetPongHandler(func(string) error {
		pongs.Add(1)
		return c.SetReadDeadline(s.deadline())
	})
	go func() {
		ticker := time.NewTicker(s.interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			if c.WriteControl(websocket.PingMessage, nil, s.deadline()) != nil {
				return
			}
		}
	}()
}

func (s *gorillaServer) broadcast(payload []byte) {
	pm, err := websocket.NewPreparedMessage(websocket.TextMessage, payload)
	if err != nil {
		return
	}
	s.clients.each(func(c *gorillaClient) {
		c.mu.Lock()
		_ = c.WritePreparedMessage(pm)
		c.mu.Unlock()
	})
}
