// Package memlimit tells how much memory a process may still use, from what the
// machine and its control groups really have, and keeps the Go runtime within it.
package memlimit

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Room is memory as a process sees it, in bytes.
type Room struct {
	// Limit is the most that all processes which share the tightest bound may
	// use together: a control group's, or the machine's.
	Limit uint64
	// Free is what is left of it, page cache counted as free. Kernel memory, the
	// sockets' above all, counts as used: 3.8 KiB of slab for an idle one.
	Free uint64
}

// Used returns the part of the limit that is in use, 0 to 1.
func (r Room) Used() float64 {
	if r.Limit == 0 {
		return 0
	}
	return 1 - float64(r.Free)/float64(r.Limit)
}

// Read looks at the machine and at every control group above this process, and
// returns the one with the least room.
func Read() (Room, error) { return readIn("/") }

// readIn is Read with another root, for tests.
func readIn(root string) (Room, error) {
	room, err := machine(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return Room{}, err
	}
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return room, nil // a kernel without control groups
	}
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		base, files := filepath.Join(root, "sys/fs/cgroup"), v2
		switch {
		case fields[1] == "memory":
			base, files = filepath.Join(base, "memory"), v1
		case fields[1] != "":
			continue
		}
		for dir := fields[2]; ; dir = filepath.Dir(dir) {
			if r, ok := files.read(filepath.Join(base, dir)); ok && r.Free < room.Free {
				room = r
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return room, nil
}

// machine reads /proc/meminfo. MemAvailable counts the slab of socket inodes and
// dentries as reclaimable although it is not while the sockets live, so free memory
// and page cache are added up instead.
func machine(path string) (Room, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Room{}, fmt.Errorf("memory of the machine: %w", err)
	}
	var room Room
	for line := range bytes.Lines(b) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		switch string(name) { // read every second: the other lines must not become garbage
		case "MemTotal":
			room.Limit = kibibytes(rest)
		case "MemFree", "Active(file)", "Inactive(file)":
			room.Free += kibibytes(rest)
		}
	}
	if room.Limit == 0 {
		return Room{}, fmt.Errorf("memory of the machine: %s has no MemTotal", path)
	}
	return room, nil
}

// kibibytes parses "  1234 kB" and returns bytes.
func kibibytes(value []byte) uint64 {
	number, _, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
	n, _ := strconv.ParseUint(string(number), 10, 64)
	return n << 10
}

// files are the names that one version of control groups uses.
type files struct{ limit, usage, cachePrefix string }

var (
	v1 = files{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_"}
	v2 = files{"memory.max", "memory.current", ""}
)

// read returns false where the group has no limit or is not visible from here.
func (f files) read(dir string) (Room, bool) {
	limit, ok := readNumber(filepath.Join(dir, f.limit))
	if !ok || limit > math.MaxInt64/2 { // v1 writes no limit as a very large one
		return Room{}, false
	}
	usage, ok := readNumber(filepath.Join(dir, f.usage))
	if !ok {
		return Room{}, false
	}
	var cache uint64
	stat, _ := os.ReadFile(filepath.Join(dir, "memory.stat"))
	for line := range bytes.Lines(stat) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if name == f.cachePrefix+"inactive_file" || name == f.cachePrefix+"active_file" {
			n, _ := strconv.ParseUint(value, 10, 64)
			cache += n
		}
	}
	used := usage - min(usage, cache)
	return Room{Limit: limit, Free: limit - min(limit, used)}, true
}

func readNumber(path string) (uint64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil // v2 writes no limit as "max"
}
