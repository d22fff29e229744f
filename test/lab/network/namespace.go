// Package network builds what AWS calls a VPC out of network namespaces: a switch namespace with one bridge a VPC, and one
// namespace a host, joined to its bridge by a veth pair. The machine itself reaches a VPC by one veth more.
package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespaceDir is where named network namespaces are bound, as `ip netns` does.
const namespaceDir = "/run/netns"

// creating holds back a second creation: the name of a namespace appears in a shared directory.
var creating sync.Mutex

// NamespacePath is the file of a named network namespace.
func NamespacePath(name string) string { return filepath.Join(namespaceDir, name) }

// createNamespace makes a named namespace, in place of an old one of that name.
func createNamespace(name string) (netns.NsHandle, error) {
	creating.Lock()
	defer creating.Unlock()
	if err := deleteNamespace(name); err != nil {
		return netns.None(), err
	}
	var handle netns.NsHandle
	err := onOwnThread(func() (err error) {
		handle, err = netns.NewNamed(name)
		return err
	})
	if err != nil {
		return netns.None(), fmt.Errorf("create network namespace %s: %w", name, err)
	}
	return handle, nil
}

// deleteNamespace removes the name. The namespace itself goes with its last process and socket.
func deleteNamespace(name string) error {
	path := NamespacePath(name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// inNamespace runs f on a thread that is inside the named namespace.
func inNamespace(name string, f func() error) error {
	return onOwnThread(func() error {
		handle, err := netns.GetFromName(name)
		if err != nil {
			return fmt.Errorf("network namespace %s: %w", name, err)
		}
		defer handle.Close()
		if err := netns.Set(handle); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", name, err)
		}
		return f()
	})
}

// onOwnThread runs f on a thread whose namespaces it may change. If they cannot be changed back, the thread ends with its
// goroutine, so that no other goroutine ever runs in the wrong namespace.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		before, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer before.Close()
		err = f()
		if netns.Set(before) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Listen opens a TCP listener inside the named namespace; it serves from this process.
func Listen(namespace, address string) (net.Listener, error) {
	var l net.Listener
	err := inNamespace(namespace, func() (err error) {
		l, err = net.Listen("tcp4", address)
		return err
	})
	return l, err
}

// Dial connects from inside the named namespace.
func Dial(ctx context.Context, namespace, address string) (net.Conn, error) {
	var c net.Conn
	err := inNamespace(namespace, func() (err error) {
		// One address and no deadline of Go's own: the dial stays on this thread.
		c, err = (&net.Dialer{FallbackDelay: -1, Timeout: 5 * time.Second}).DialContext(ctx, "tcp4", address)
		return err
	})
	return c, err
}

// setSysctl writes a key below /proc/sys/net of the thread's namespace.
func setSysctl(key, value string) error {
	return os.WriteFile("/proc/sys/"+key, []byte(value), 0o644)
}

// inNamespaceLink runs f with netlink inside the namespace and with its one interface.
func inNamespaceLink(namespace string, f func(*netlink.Handle, netlink.Link) error) error {
	ns, err := netns.GetFromName(namespace)
	if err != nil {
		return fmt.Errorf("network namespace %s: %w", namespace, err)
	}
	defer ns.Close()
	inside, err := netlink.NewHandleAt(ns)
	if err != nil {
		return err
	}
	defer inside.Close()
	eth, err := inside.LinkByName(Interface)
	if err != nil {
		return err
	}
	return f(inside, eth)
}
