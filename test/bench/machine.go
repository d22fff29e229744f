package main

import (
	"bufio"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// thisMachine describes what the figures were measured on.
func thisMachine() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d CPUs (%s), %s of memory, Linux %s, %s/%s",
		runtime.NumCPU(), procField("/proc/cpuinfo", "model name"), memTotal(), strings.TrimSpace(string(kernel)), runtime.GOOS, runtime.GOARCH)
}

// procField returns the first value of key in a file of "key : value" lines.
func procField(file, key string) string {
	f, err := os.Open(file)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func memTotal() string {
	var kib float64
	if _, err := fmt.Sscanf(procField("/proc/meminfo", "MemTotal"), "%f kB", &kib); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// modules of the peers, by the names they have in the table.
var modules = map[string]string{
	"gorilla": "github.com/gorilla/websocket",
	"gws":     "github.com/lxzan/gws",
	"nbio":    "github.com/lesismal/nbio",
	"gobwas":  "github.com/gobwas/ws",
	"coder":   "github.com/coder/websocket",
}

// versions says what the servers are, from what the linker left in the programs.
func versions(r *runner, servers []string) (string, error) {
	info, err := buildinfo.ReadFile(r.peers)
	if err != nil {
		return "", err
	}
	version := map[string]string{}
	for _, d := range info.Deps {
		version[d.Path] = d.Version
	}
	var list []string
	for _, s := range servers {
		if module, ok := modules[s]; ok {
			list = append(list, fmt.Sprintf("[%s](https://%s) %s", s, module, version[module]))
		} else {
			list = append(list, s+" "+versionOf(r.wsnode))
		}
	}
	return strings.Join(list, ", ") + "; all built with " + info.GoVersion, nil
}

// versionOf asks a program of ours, which answers with its name and version.
func versionOf(program string) string {
	out, err := exec.Command(program, "-version").CombinedOutput()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) == 0 {
		return "of unknown version"
	}
	return fields[len(fields)-1]
}
