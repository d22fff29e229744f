package tcptest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports for programs that can't be told to find one themselves. They lie below the range from which the kernel gives
// ports to clients (32768 to 60999): a test with thousands of connections in the next package takes none of them
// between the moment it is found free and the moment the program binds it.
const portMin, portMax = 15000, 32000

// given holds the ports this process was given: one that isn't bound yet is not given again.
var given sync.Map

// FreePort returns a port that nobody listens on, at any address of this machine.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := portMin + rand.IntN(portMax-portMin)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		ln, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatalf("no free port from %d to %d", portMin, portMax)
	return 0
}

// FreeAddr is FreePort as an address of loopback, host:port.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePort(t))
}
