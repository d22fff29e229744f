package cluster

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is what of this machine is taken, in bytes.
type Memory struct {
	// Used can't be dropped: MemTotal less MemFree less the page cache. MemAvailable would hide a quarter of what sockets
	// cost: the kernel counts their inodes and dentries as reclaimable, which they are not.
	Used     int64
	Slab     int64            // the kernel's objects: nearly all of them are sockets' here
	Programs map[string]int64 // anonymous memory of processes, by program
}

// measureMemory drops what can be dropped first.
func measureMemory() (m Memory, err error) {
	if err := dropCaches(); err != nil {
		return m, err
	}
	fields, err := meminfo()
	if err != nil {
		return m, err
	}
	if m.Used, err = usedOf(fields); err != nil {
		return m, err
	}
	m.Slab = fields["Slab"]
	m.Programs, err = programs("/proc")
	return m, err
}

// memoryUsed is as Memory.Used, with what could be dropped.
func memoryUsed() (int64, error) {
	fields, err := meminfo()
	if err != nil {
		return 0, err
	}
	return usedOf(fields)
}

func meminfo() (map[string]int64, error) { return kibFields("/proc/meminfo") }

// kibFields reads a file of lines such as "MemTotal: 12 kB", in bytes.
func kibFields(path string) (map[string]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fields := map[string]int64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, " kB")), 10, 64); err == nil {
			fields[name] = kib << 10
		}
	}
	return fields, nil
}

// programs adds up the anonymous memory of all processes by their names. Hosts of the lab are processes of this machine too.
func programs(proc string) (map[string]int64, error) {
	all, err := filepath.Glob(filepath.Join(proc, "[0-9]*"))
	if err != nil {
		return nil, err
	}
	sums := map[string]int64{}
	for _, dir := range all {
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue // it has ended meanwhile
		}
		if fields, err := kibFields(filepath.Join(dir, "status")); err == nil && fields["RssAnon"] > 0 {
			sums[strings.TrimSpace(string(name))] += fields["RssAnon"]
		}
	}
	return sums, nil
}

// usedOf counts what lies in memory only (tmpfs, Shmem) as used, though the kernel counts it as cached.
func usedOf(meminfo map[string]int64) (int64, error) {
	for _, name := range []string{"MemTotal", "MemFree", "Buffers", "Cached", "Shmem"} {
		if _, there := meminfo[name]; !there {
			return 0, fmt.Errorf("/proc/meminfo has no %s", name)
		}
	}
	return meminfo["MemTotal"] - meminfo["MemFree"] - meminfo["Buffers"] - (meminfo["Cached"] - meminfo["Shmem"]), nil
}

// dropCaches makes the kernel forget what it can make again, before memory is measured: pages of files, and the inodes that
// whoever lists /proc leaves behind, a KiB for each of four million open files. A ramp then need not wait for them to be dropped.
func dropCaches() error {
	unix.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}
