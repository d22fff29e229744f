//go:build linux

package netpoll

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The sockets are non-blocking, so their calls return at once. RawSyscall leaves out
// the scheduler's bookkeeping for calls that may block, which is a tenth of the cost of
// a small echo.

// receive reads from a socket. recv and send go to it directly, where read and write
// pass through the layers of files first.
func receive(fd int32, p []byte) (int, unix.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, unix.MSG_DONTWAIT)
}

// send writes to a socket.
func send(fd int32, p []byte) (int, unix.Errno) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// sendVector writes several parts to a socket as one.
func sendVector(fd int32, parts []unix.Iovec) (int, unix.Errno) {
	m := unix.Msghdr{Iov: unsafe.SliceData(parts)}
	m.SetIovlen(len(parts))
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

func transfer(trap uintptr, fd int32, p []byte, flags uintptr) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// readEvent and writeEvent are read and write of an eventfd.

func readEvent(fd int32, p *[8]byte) { event(unix.SYS_READ, fd, p) }

func writeEvent(fd int32, p *[8]byte) { event(unix.SYS_WRITE, fd, p) }

func event(trap uintptr, fd int32, p *[8]byte) {
	for {
		if _, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(p)), 8); errno != unix.EINTR {
			return // EAGAIN: it was read, or is full and so wakes anyway
		}
	}
}

// pollNow returns the events that are ready without waiting.
func pollNow(epfd int, events []unix.EpollEvent) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	return int(n), errno
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

func sockaddr(a netip.AddrPort) (family int, sa unix.Sockaddr) {
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}
