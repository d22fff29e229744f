// Package tcptest gives tests a TCP server that does on each connection what they say.
package tcptest

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Serve listens on a free port of loopback until the test ends. Each connection gets
// serve in a goroutine of its own, and is closed when that returns.
func Serve(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort()
}
