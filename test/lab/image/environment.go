package image

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// environment is this process's environment with the proxy that apt is configured to use: debootstrap fetches with wget,
// which only reads http_proxy.
func environment(ctx context.Context) []string {
	env := os.Environ()
	if os.Getenv("http_proxy") != "" {
		return env
	}
	out, err := exec.CommandContext(ctx, "apt-config", "shell", "proxy", "Acquire::http::Proxy").Output()
	if err != nil {
		return env // not a Debian machine
	}
	proxy := strings.Trim(strings.TrimPrefix(strings.TrimSpace(string(out)), "proxy="), "'")
	if proxy == "" || proxy == "DIRECT" || proxy == "false" {
		return env
	}
	return append(env, "http_proxy="+proxy)
}

// lockThread binds the goroutine to its thread until the returned function is called.
func lockThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
