package main

import (
	"io"
	"net"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasServer reads with wsutil in a goroutine for each connection.
type gobwasServer struct {
	heartbeat
	clients members[*gobwasClient]
}

type gobwasClient struct {
	net.Conn
	mu sync.Mutex
}

func newGobwas(h heartbeat) server { return &gobwasServer{heartbeat: h} }

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
	read := func() ([]byte, ws.OpCode, error) { return wsutil.ReadClientData(c.Conn) }
	if s.on() {
		defer s.every(func() error { return c.write(ws.CompiledPing) })()
		read = func() ([]byte, ws.OpCode, error) { return s.readWatched(c) }
	}
	for {
		p, op, err := read()
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

// readWatched is wsutil.ReadClientData, which keeps pongs to itself, with a deadline
// that every frame moves.
func (s *gobwasServer) readWatched(c *gobwasClient) ([]byte, ws.OpCode, error) {
	control := wsutil.ControlFrameHandler(c.Conn, ws.StateServerSide)
	rd := &wsutil.Reader{Source: c.Conn, State: ws.StateServerSide, CheckUTF8: true, OnIntermediate: control}
	for {
		if err := c.SetReadDeadline(s.deadline()); err != nil {
			return nil, 0, err
		}
		h, err := rd.NextFrame()
		if err != nil {
			return nil, 0, err
		}
		if h.OpCode == ws.OpPong {
			pongs.Add(1)
		}
		if h.OpCode.IsControl() {
			if err := control(h, rd); err != nil {
				return nil, 0, err
			}
			continue
		}
		p, err := io.ReadAll(rd)
		return p, h.OpCode, err
	}
}

func (c *gobwasClient) write(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Write(frame)
	return err
}

func (s *gobwasServer) broadcast(payload []byte) {
	frame := ws.MustCompileFrame(ws.NewTextFrame(payload))
	s.clients.each(func(c *gobwasClient) { _ = c.write(frame) })
}
