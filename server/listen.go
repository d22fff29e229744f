package main

import (
	"time"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

// deferAccept is how long the kernel keeps a client that has not spoken yet. Clients of WebSockets speak first. Whoever says
// nothing at all then has the time of the handshake on top of it.
const deferAccept = time.Second

func (c Config) listenOptions() netpoll.ListenOptions {
	return netpoll.ListenOptions{KeepAlive: c.keepAlive(), DeferAccept: deferAccept}
}

// keepAlive is TCP's, beneath the heartbeat: it finds dead peers even where the heartbeat is off. Where the heartbeat is on,
// TCP waits until that has given a peer up: probes of its own between slow pings would find nobody, and a million of them a
// minute are a tenth of a core's work.
func (c Config) keepAlive() netpoll.KeepAlive {
	k := netpoll.KeepAlive{Idle: time.Minute, Interval: 15 * time.Second, Count: 4}
	if c.HeartbeatInterval > 0 {
		k.Idle = max(k.Idle, c.HeartbeatTimeout)
	}
	return k
}
