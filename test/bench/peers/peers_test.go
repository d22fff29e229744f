package main

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience bounds what should take no time.
const patience = 30 * time.Second

// serve starts a server of each library and calls test with how to reach it, for all of
// them at the same time.
func serve(t *testing.T, h heartbeat, test func(t *testing.T, s server, dial func() *websocket.Conn)) {
	for name, fresh := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := fresh(h)
			go func() { _ = s.serve(ln) }() // until the process ends, as in main: some mind a listener that closes
			test(t, s, func() *websocket.Conn {
				var c *websocket.Conn
				var err error
				for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // nbio opens a listener of its own
					if c, _, err = websocket.DefaultDialer.Dial("ws://"+ln.Addr().String()+"/", nil); err == nil {
						break
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				_ = c.SetReadDeadline(time.Now().Add(patience))
				return c
			})
		})
	}
}

func next(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	_, p, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestEchoAndBroadcast(t *testing.T) {
	serve(t, heartbeat{}, func(t *testing.T, s server, dial func() *websocket.Conn) {
		a, b := dial(), dial()
		for _, c := range []*websocket.Conn{a, b} { // who has an answer is a member
			if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if got := next(t, c); got != echoPrefix+"hello" {
				t.Errorf("the answer is %q", got)
			}
		}
		s.broadcast([]byte("to all"))
		for _, c := range []*websocket.Conn{a, b} {
			if got := next(t, c); got != "to all" {
				t.Errorf("the broadcast is %q", got)
			}
		}
	})
}

// Who answers the pings outlives the timeout and is counted; who does not is ended.
func TestHeartbeat(t *testing.T) {
	const pings = 50 // they take longer than the timeout
	h := heartbeat{interval: 100 * time.Millisecond, timeout: 4 * time.Second}
	t.Run("of", func(t *testing.T) {
		serve(t, h, func(t *testing.T, _ server, dial func() *websocket.Conn) {
			answers(t, dial(), pings)
			silent := dial()
			silent.SetPingHandler(func(string) error { return nil })
			_, _, err := silent.ReadMessage()
			var timeout net.Error
			if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("it stays although it is silent: %v", err)
			}
		})
	})
	if got, want := pongs.Load(), int64(len(servers)*(pings-1)); got < want { // the last one may still be on its way
		t.Errorf("%d pongs are counted, want %d at least", got, want)
	}
}

// answers answers so many pings and finds the connection alive after that.
func answers(t *testing.T, c *websocket.Conn, pings int) {
	t.Helper()
	c.SetPingHandler(func(data string) error {
		err := c.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(patience))
		if pings--; err == nil && pings == 0 {
			err = c.WriteMessage(websocket.TextMessage, []byte("still here"))
		}
		return err
	})
	if got := next(t, c); got != echoPrefix+"still here" {
		t.Errorf("the answer is %q", got)
	}
}
