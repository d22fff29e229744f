package main

import (
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorillaServer has a goroutine for each connection, as gorilla's examples do.
type gorillaServer struct{ clients members[*gorillaClient] }

type gorillaClient struct {
	*websocket.Conn
	mu sync.Mutex // gorilla allows one writer at a time
}

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
