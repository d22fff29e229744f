package moto

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// CheckPort says whether the port of the loopback address is free and, if it is not, who holds it.
func CheckPort(port int) error {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		return l.Close()
	}
	if holder := listener(port); holder != "" {
		return fmt.Errorf("port %d of 127.0.0.1 is in use by %s; stop it or give -port", port, holder)
	}
	return fmt.Errorf("port %d of 127.0.0.1 is not free: %w; give another one with -port", port, err)
}

// listener names the process that listens on the port, if /proc tells.
func listener(port int) string {
	inode := listeningInode(port)
	if inode == "" {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != "socket:["+inode+"]" {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		command, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(command)), pid)
	}
	return ""
}

func listeningInode(port int) string {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	const stateListen = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == stateListen {
			return f[9]
		}
	}
	return ""
}
