package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKeepAliveLeavesPeersToAFasterHeartbeat(t *testing.T) {
	for _, c := range []struct{ interval, timeout, idle time.Duration }{
		{10 * time.Second, 30 * time.Second, time.Minute},
		{4 * time.Minute, 10 * time.Minute, 10 * time.Minute},
		{0, 10 * time.Minute, time.Minute}, // off: TCP alone finds the dead
	} {
		got := Config{HeartbeatInterval: c.interval, HeartbeatTimeout: c.timeout}.keepAlive()
		require.Equal(t, c.idle, got.Idle, "heartbeat every %s, timeout %s", c.interval, c.timeout)
	}
}
