package cluster

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryUsed returns the bytes of this machine that hold something that can't be dropped: MemTotal less MemFree less the
// page cache. MemAvailable would hide a quarter of what sockets cost: the kernel counts their inodes and dentries as
// reclaimable, which they are not.
func memoryUsed() (int64, error) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	fields := map[string]int64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, " kB")), 10, 64); err == nil {
			fields[name] = kib << 10
		}
	}
	return usedOf(fields)
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
