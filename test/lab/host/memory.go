package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Usage is what a host's processes take.
type Usage struct {
	Processes int   `json:"processes"`
	Memory    int64 `json:"memory_bytes"` // proportional set size: what hosts share is divided among them
}

// Use measures the processes of a control group. A process that ends meanwhile counts nothing.
func Use(cgroup string) Usage {
	var u Usage
	for _, pid := range Processes(cgroup) {
		pss, err := proportionalSetSize(pid)
		if err != nil {
			continue
		}
		u.Processes++
		u.Memory += pss
	}
	return u
}

func proportionalSetSize(pid int) (int64, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(rollup)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "Pss:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/smaps_rollup has no Pss", pid)
}
