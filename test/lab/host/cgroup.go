package host

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Every host has a control group of its own: systemd inside manages all of it. Only the hierarchy of version 2 counts, which may be
// the only one or beside those of version 1; there systemd-nspawn makes the same directory in its named hierarchy.

// CGroupBase returns the directory in which this process may make groups: its own group.
func CGroupBase() (string, error) {
	mount, err := cgroupMount("cgroup2", "")
	if err != nil {
		return "", err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(own)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return filepath.Join(mount, strings.TrimSpace(path)), nil
		}
	}
	return "", errors.New("/proc/self/cgroup has no line of version 2")
}

// cgroupMount finds where a file system of the type, with the option, is mounted.
func cgroupMount(fsType, option string) (string, error) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if m := strings.Fields(s.Text()); len(m) > 3 && m[2] == fsType && (option == "" || slices.Contains(strings.Split(m[3], ","), option)) {
			return m[1], nil
		}
	}
	return "", fmt.Errorf("no %s file system is mounted", fsType)
}

func makeCGroup(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.Open(dir)
}

// killCGroup kills every process of the group, at once where the kernel can (5.14), else from systemd-nspawn down.
func killCGroup(dir string, pid int) {
	if os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0) != nil && pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for range 100 {
		if len(Processes(dir)) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Processes lists the pids in the group and below.
func Processes(dir string) []int {
	var pids []int
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "cgroup.procs" {
			return nil // groups come and go while we walk
		}
		list, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(list)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}

// removeCGroup removes the group, in every hierarchy that has it.
func removeCGroup(dir string) {
	for _, d := range sameGroups(dir) {
		removeTree(d)
	}
}

// removeTree removes a group and those below. They hold no files that could be deleted, only directories.
func removeTree(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeTree(filepath.Join(dir, e.Name()))
		}
	}
	_ = syscall.Rmdir(dir)
}

// sameGroups is the group's directory in the hierarchy of version 2 and in systemd's of version 1, if there is one.
func sameGroups(dir string) []string {
	dirs := []string{dir}
	v2, err2 := cgroupMount("cgroup2", "")
	v1, err1 := cgroupMount("cgroup", "name=systemd")
	if rel, err := filepath.Rel(v2, dir); err1 == nil && err2 == nil && err == nil {
		dirs = append(dirs, filepath.Join(v1, rel))
	}
	return dirs
}

// SweepCGroup kills what still runs in the group of a lab and removes it.
func SweepCGroup(dir string) {
	killCGroup(dir, 0)
	for _, pid := range Processes(dir) { // a kernel without cgroup.kill
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	removeCGroup(dir)
}

// CGroupsLeft lists the directories of the group that still exist.
func CGroupsLeft(dir string) []string {
	var left []string
	for _, d := range sameGroups(dir) {
		if _, err := os.Stat(d); err == nil {
			left = append(left, "control group "+d)
		}
	}
	return left
}
