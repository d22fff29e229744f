//go:build linux

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reservedFiles are the descriptors kept for anything but connections: standard
// streams, epoll sets, listeners, the broker, admin connections, and the
// connections that are being refused.
const reservedFiles = 200

// capacity returns how many connections the process may hold: wanted if the
// open-file limit allows as many, all it allows if wanted is 0. The runtime has
// raised the soft limit to the hard one at start.
func capacity(wanted int) (int, error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, fmt.Errorf("read the open-file limit: %w", err)
	}
	allowed := int(min(lim.Cur, 1<<30)) - reservedFiles
	if allowed < 1 {
		return 0, fmt.Errorf("the open-file limit is %d: want more than %d (ulimit -n)", lim.Cur, reservedFiles)
	}
	if wanted > allowed {
		return 0, fmt.Errorf("-max-connections %d: the open-file limit %d allows %d; raise it (ulimit -n, LimitNOFILE) or run more instances", wanted, lim.Cur, allowed)
	}
	if wanted == 0 {
		return allowed, nil
	}
	return wanted, nil
}
