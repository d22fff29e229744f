package main

import (
	"net"

	"github.com/lxzan/gws"
)

type gwsServer struct {
	gws.BuiltinEventHandler
	clients members[*gws.Conn]
}

func newGWS() server { return &gwsServer{} }

func (s *gwsServer) serve(ln net.Listener) error {
	return gws.NewServer(s, &gws.ServerOption{}).RunListener(ln)
}

func (s *gwsServer) OnOpen(c *gws.Conn)           { s.clients.add(c) }
func (s *gwsServer) OnClose(c *gws.Conn, _ error) { s.clients.remove(c) }
func (s *gwsServer) OnPing(c *gws.Conn, p []byte) { _ = c.WritePong(p) }
func (s *gwsServer) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.Writev(m.Opcode, []byte(echoPrefix), m.Bytes())
}

func (s *gwsServer) broadcast(payload []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, payload)
	defer b.Close()
	s.clients.each(func(c *gws.Conn) { _ = b.Broadcast(c) })
}
