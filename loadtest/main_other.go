//go:build !linux

// Command wsload puts very many WebSocket clients on a fleet. It needs epoll.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "wsload: runs on Linux only (it is built on epoll), and this is %s\n", runtime.GOOS)
	os.Exit(1)
}
