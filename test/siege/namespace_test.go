//go:build linux

package siege

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// namespace is a network of the test's own with nothing but a loopback in it. It has
// no name: it goes, with its firewall, when the last process in it has ended. A nil
// one stands for the network that the test itself is in.
type namespace struct{ handle netns.NsHandle }

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root: run the tests with sudo")
	}
	ns := &namespace{}
	err := onOwnThread(func() (err error) {
		if ns.handle, err = netns.New(); err != nil {
			return err
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(lo)
	})
	require.NoError(t, err, "network namespace")
	t.Cleanup(func() { _ = ns.handle.Close() })
	return ns
}

// run runs f on a thread that is in the namespace. Processes that f starts and
// sockets that it opens are in there, too.
func (ns *namespace) run(f func() error) error {
	if ns == nil {
		return f()
	}
	return onOwnThread(func() error {
		if err := netns.Set(ns.handle); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return f()
	})
}

// onOwnThread runs f on a thread that ends with it, whatever f made of it.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good
		done <- f()
	}()
	return <-done
}

// dial connects from inside the namespace.
func (ns *namespace) dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = ns.run(func() error {
		// One numeric address and no fallback: the dial stays on this thread.
		c, err = (&net.Dialer{FallbackDelay: -1, Timeout: 5 * time.Second}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// dropTraffic makes everything to and from a TCP port vanish on its way until the test
// ends: nobody gets a FIN or a reset.
func (ns *namespace) dropTraffic(t *testing.T, port uint16) {
	t.Helper()
	ns.nft(t, fmt.Sprintf(`table inet siege {
	chain gone {
		type filter hook prerouting priority raw
		tcp dport %[1]d drop
		tcp sport %[1]d drop
	}
}
`, port))
	// Sockets that wait for lost packets would keep the namespace for minutes.
	t.Cleanup(func() { ns.nft(t, "delete table inet siege\n") })
}

// nft runs a script of nftables in the namespace.
func (ns *namespace) nft(t *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	var out []byte
	err := ns.run(func() (err error) {
		out, err = cmd.CombinedOutput()
		return err
	})
	require.NoError(t, err, "nft: %s", out)
}
