//go:build linux

package siege

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

// States of a TCP socket in /proc/net/tcp.
const (
	tcpTimeWait = "06" // holds no data
	tcpListen   = "0A"
)

// sockets counts the sockets that the kernel has for the node's connections, also for
// those that the node has closed: it may hold on to what it could not deliver.
func (n *node) sockets() int {
	n.t.Helper()
	var table []byte
	require.NoError(n.t, n.ns.run(func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/tcp")
		return err
	}))
	addr := netip.MustParseAddrPort(n.Listen)
	ip := addr.Addr().As4()
	local := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), addr.Port()) // as the kernel prints it
	count := 0
	for line := range strings.Lines(string(table)) {
		// sl local_address rem_address st …
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == local && fields[3] != tcpListen && fields[3] != tcpTimeWait {
			count++
		}
	}
	return count
}
