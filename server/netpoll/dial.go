//go:build linux

package netpoll

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Dial starts a connection from local (its address; the zero Addr leaves the
// choice to the kernel) to remote and returns at once. h gets OnOpen when it is
// established, OnClose with the reason when it is not. An error means that no
// socket could be had and h gets nothing.
func (l *Loop) Dial(c *Conn, h Handler, local netip.Addr, remote netip.AddrPort) error {
	family, sa := sockaddr(remote)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("netpoll: socket: %w", err)
	}
	*c = Conn{loop: l, handler: h, fd: int32(fd), flags: flagConnecting | flagWantWrite}
	if err := prepareDial(fd, local); err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		_ = unix.Close(fd)
		return fmt.Errorf("netpoll: connect to %s: %w", remote, err)
	}
	// An established connection is writable, so that connect's success or
	// failure both arrive as an event.
	return l.add(c, unix.EPOLLOUT)
}

func prepareDial(fd int, local netip.Addr) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("netpoll: TCP_NODELAY: %w", err)
	}
	// The last packet of TCP's handshake goes with the first that is written, instead of one just before it; tcp(7).
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0); err != nil {
		return fmt.Errorf("netpoll: TCP_QUICKACK: %w", err)
	}
	if !local.IsValid() {
		return nil
	}
	// The port is chosen at connect time, when the remote address is known, so
	// that each (local, remote) pair has the whole range; ip(7).
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("netpoll: IP_BIND_ADDRESS_NO_PORT: %w", err)
	}
	_, sa := sockaddr(netip.AddrPortFrom(local, 0))
	if err := unix.Bind(fd, sa); err != nil {
		return fmt.Errorf("netpoll: bind to %s: %w", local, err)
	}
	return nil
}
