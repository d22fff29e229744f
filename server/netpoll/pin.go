//go:build linux

package netpoll

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// pin ties the calling goroutine to its thread and the thread to cpus. The goroutine
// must end with the thread still tied, so that no other runs on it.
func pin(cpus []int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("netpoll: run on CPUs %v: %w", cpus, err)
	}
	return nil
}
