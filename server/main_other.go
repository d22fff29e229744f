//go:build !linux

// Command wsnode is a WebSocket server for very many connections. It needs epoll.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "wsnode: runs on Linux only (it is built on epoll), and this is %s\n", runtime.GOOS)
	os.Exit(1)
}
