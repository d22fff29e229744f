//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/source"
)

// question is what a leader asks each host about its share of a run.
type question struct {
	Source       string        `json:"source"` // as -source
	Destinations []destination `json:"destinations"`
}

// destination is one target's address.
type destination struct {
	Addr        netip.AddrPort `json:"addr"`
	Connections int            `json:"connections"` // of the host's share, over all targets with this address
}

// facts are what a host knows of itself.
type facts struct {
	CPUs      int            `json:"cpus"`
	FilesEach int            `json:"files_each"` // open files that a process may have
	FilesFree int64          `json:"files_free"` // that the system has left for all processes
	Sources   [][]netip.Addr `json:"sources"`    // by destination; none leaves the choice to the kernel
	ID        string         `json:"id"`         // of the agent's process
	Held      int            `json:"held"`       // connections that the agent's workers have for other leaders
}

// survey finds out what this host can do.
func survey(q question) (facts, error) {
	f := facts{CPUs: runtime.NumCPU()}
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return f, fmt.Errorf("read the open-file limit: %w", err)
	}
	f.FilesEach = int(min(lim.Cur, 1<<30))
	var err error
	if f.FilesFree, err = freeFiles(); err != nil {
		return f, err
	}
	for _, d := range q.Destinations {
		sources, err := source.Spread(q.Source, d.Addr, d.Connections)
		if err != nil {
			return f, fmt.Errorf("-source %s: %w", q.Source, err)
		}
		f.Sources = append(f.Sources, sources)
	}
	return f, nil
}

// freeFiles returns how many more files the system lets its processes open.
func freeFiles() (int64, error) {
	const file = "/proc/sys/fs/file-nr" // allocated, unused (always 0), maximum
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) != 3 {
		return 0, fmt.Errorf("%s: %q: want three numbers", file, b)
	}
	allocated, err1 := strconv.ParseInt(fields[0], 10, 64)
	limit, err2 := strconv.ParseInt(fields[2], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("%s: %q: want three numbers", file, b)
	}
	return limit - allocated, nil
}
