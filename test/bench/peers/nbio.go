package main

import (
	"net"
	"net/http"

	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbioServer is nbio in its non-blocking mode, pollers and a pool of goroutines. It
// brings the pings (Keepalive) and the deadline (KeepaliveTime) with it.
type nbioServer struct {
	heartbeat
	clients members[*websocket.Conn]
}

func newNbio(h heartbeat) server { return &nbioServer{heartbeat: h} }

func (s *nbioServer) serve(ln net.Listener) error {
	addr := ln.Addr().String()
	ln.Close() // the engine opens its own
	up := websocket.NewUpgrader()
	up.CheckOrigin = func(*http.Request) bool { return true }
	up.OnOpen(func(c *websocket.Conn) {
		s.clients.add(c)
		if s.on() {
			c.Keepalive(s.interval) // ends with the first ping that fails
		}
	})
	up.OnClose(func(c *websocket.Conn, _ error) { s.clients.remove(c) })
	up.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, p []byte) {
		_ = c.WriteMessage(kind, append([]byte(echoPrefix), p...))
	})
	if s.on() {
		up.KeepaliveTime = s.timeout
		up.SetPongHandler(func(*websocket.Conn, string) { pongs.Add(1) })
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = up.Upgrade(w, r, nil) })
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp4", Addrs: []string{addr}, Handler: mux, IOMod: nbhttp.IOModNonBlocking,
		ReleaseWebsocketPayload: true,
	})
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}

func (s *nbioServer) broadcast(payload []byte) {
	s.clients.each(func(c *websocket.Conn) { _ = c.WriteMessage(websocket.TextMessage, payload) })
}
