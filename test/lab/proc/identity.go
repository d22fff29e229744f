// Package proc names processes so that a pid that was used again is never taken for the old one.
package proc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Identity is a process: its pid, and when it started in clock ticks after boot.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Of returns the identity of the process that has the pid now.
func Of(pid int) (Identity, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Identity{}, err
	}
	start, err := startTime(stat)
	return Identity{PID: pid, Start: start}, err
}

// startTime is field 22 of /proc/PID/stat. The second field, the command, may hold spaces and brackets.
func startTime(stat []byte) (uint64, error) {
	i := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[i+1:]))
	if i < 0 || len(fields) < 20 {
		return 0, fmt.Errorf("/proc/PID/stat has an unknown form: %q", stat)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// Alive says whether this very process still runs. A zombie does not.
func (id Identity) Alive() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id.PID))
	if err != nil || id.PID == 0 {
		return false
	}
	start, err := startTime(stat)
	zombie := bytes.Contains(stat, []byte(") Z "))
	return err == nil && start == id.Start && !zombie
}

// Stop asks the process to end, and ends it after the grace time.
func (id Identity) Stop(grace time.Duration) error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, 5 * time.Second}} {
		if !id.Alive() {
			return nil
		}
		if err := syscall.Kill(id.PID, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal pid %d: %w", id.PID, err)
		}
		for end := time.Now().Add(step.wait); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if !id.Alive() {
				return nil
			}
		}
	}
	return fmt.Errorf("pid %d does not end", id.PID)
}

// Save writes v as JSON at once or not at all.
func Save(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Load reads what Save wrote.
func Load(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
