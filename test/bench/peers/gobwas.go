package main

import (
	"net"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasServer reads with wsutil in a goroutine for each connection.
type gobwasServer struct{ clients members[*gobwasClient] }

type gobwasClient struct {
	net.Conn
	mu sync.Mutex
}

func newGobwas() server { return &gobwasServer{} }

func (s *gobwasServer) serve(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go s.handle(&gobwasClient{Conn: conn})
	}
}

func (s *gobwasServer) handle(c *gobwasClient) {
	defer c.Close()
	if _, err := ws.Upgrade(c.Conn); err != nil {
		return
	}
	s.clients.add(c)
	defer s.clients.remove(c)
	for {
		p, op, err := wsutil.ReadClientData(c.Conn)
		if err != nil {
			return
		}
		c.mu.Lock()
		err = wsutil.WriteServerMessage(c.Conn, op, append([]byte(echoPrefix), p...))
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *gobwasServer) broadcast(payload []byte) {
	frame := ws.MustCompileFrame(ws.NewTextFrame(payload))
	s.clients.each(func(c *gobwasClient) {
		c.mu.Lock()
		_, _ = c.Write(frame)
		c.mu.Unlock()
	})
}
