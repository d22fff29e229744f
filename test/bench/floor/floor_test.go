package main

import (
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gorilla/websocket"
)

// patience bounds what should take no time.
const patience = 30 * time.Second

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.fds)
}

// Every connection gets every frame, and the others go on when one has gone.
func TestFloor(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	writers := []*writer{{frames: make(chan []byte)}, {frames: make(chan []byte)}}
	for _, w := range writers {
		go w.work()
		defer close(w.frames)
	}
	go func() { _ = accept(ln, writers) }()
	clients := make([]*websocket.Conn, 5)
	for i := range clients {
		if clients[i], _, err = websocket.DefaultDialer.Dial("ws://"+ln.Addr().String()+"/", nil); err != nil {
			t.Fatal(err)
		}
		defer clients[i].Close()
		_ = clients[i].SetReadDeadline(time.Now().Add(patience))
	}
	all := func() int { return writers[0].count() + writers[1].count() }
	until(t, "all are connected", func() bool { return all() == len(clients) })
	publish := func(text string, to []*websocket.Conn) {
		for _, w := range writers {
			w.frames <- ws.MustCompileFrame(ws.NewTextFrame([]byte(text)))
		}
		for i, c := range to {
			if _, p, err := c.ReadMessage(); err != nil || string(p) != text {
				t.Fatalf("client %d got %q, %v; want %q", i, p, err, text)
			}
		}
	}
	publish("to all", clients)
	clients[4].Close()
	until(t, "the one that has gone is let go", func() bool {
		publish("to the others", clients[:4])
		return all() == 4
	})
}
