package main

import (
	"net"

	"github.com/lxzan/gws"
)

// gwsServer has gws' goroutine for each connection. A client's deadline moves with its
// pongs, as in the documentation it does with its pings.
type gwsServer struct {
	gws.BuiltinEventHandler
	heartbeat
	clients members[*gws.Conn]
}

// stopKey is where the session of a connection keeps what ends its pings.
const stopKey = "stop"

func newGWS(h heartbeat) server { return &gwsServer{heartbeat: h} }

func (s *gwsServer) serve(ln net.Listener) error {
	return gws.NewServer(s, &gws.ServerOption{}).RunListener(ln)
}

func (s *gwsServer) OnOpen(c *gws.Conn) {
	s.clients.add(c)
	if s.on() {
		_ = c.SetDeadline(s.deadline())
		c.Session().Store(stopKey, s.every(func() error { return c.WritePing(nil) }))
	}
}

func (s *gwsServer) OnClose(c *gws.Conn, _ error) {
	s.clients.remove(c)
	if stop, ok := c.Session().Load(stopKey); ok {
		stop.(func())()
	}
}

func (s *gwsServer) OnPing(c *gws.Conn, p []byte) { _ = c.WritePong(p) }

func (s *gwsServer) OnPong(c *gws.Conn, _ []byte) {
	pongs.Add(1)
	if s.on() {
		_ = c.SetDeadline(s.deadline())
	}
}

func (s *gwsServer) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.Writev(m.Opcode, []byte(echoPrefix), m.Bytes())
}

func (s *gwsServer) broadcast(payload []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, payload)
	defer b.Close()
	s.clients.each(func(c *gws.Conn) { _ = b.Broadcast(c) })
}
