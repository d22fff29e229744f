package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// use of the CPUs by a process until now.
type use struct {
	cpu   float64 // seconds, user and system
	wakes float64 // how often one of its threads was put on a CPU
}

// useOf adds up what the scheduler gave to the threads of processes: nanoseconds in
// /proc/PID/task/TID/schedstat, where /proc/PID/stat has ticks of 10 ms.
func useOf(pids ...int) (u use) {
	for _, pid := range pids {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, file := range files {
			b, _ := os.ReadFile(file)
			fields := strings.Fields(string(b)) // run, wait, times run
			if len(fields) < 3 {
				continue
			}
			ns, _ := strconv.ParseFloat(fields[0], 64)
			times, _ := strconv.ParseFloat(fields[2], 64)
			u.cpu += ns / 1e9
			u.wakes += times
		}
	}
	return u
}

// family returns a process and its children.
func family(pid int) []int {
	pids := []int{pid}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		b, _ := os.ReadFile(file)
		for _, field := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
