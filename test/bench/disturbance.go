package main

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watchMachine watches what the machine does beside the programs that this one starts.
// What it returns tells the part of all CPUs that others (processes, or the host's other
// guests) have taken since; the programs started meanwhile must have ended.
func watchMachine() (others func() float64) {
	start, busy, own := time.Now(), machineSeconds(), ownSeconds()
	return func() float64 {
		foreign := machineSeconds() - busy - (ownSeconds() - own)
		return max(0, foreign) / (time.Since(start).Seconds() * float64(runtime.NumCPU()))
	}
}

// waitQuiet returns after a second in which others took no more than maxDisturbance, or
// when r's patience is at an end.
func (r *runner) waitQuiet(ctx context.Context) {
	for end := time.Now().Add(r.patience); time.Now().Before(end) && ctx.Err() == nil; {
		others := r.watch()
		time.Sleep(time.Second)
		if others() <= maxDisturbance {
			return
		}
	}
}

// machineSeconds returns for how long all CPUs together were busy since boot.
func machineSeconds() float64 {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return busySeconds(string(line))
}

// busySeconds adds up the line "cpu user nice system idle iowait irq softirq steal …",
// in ticks of 10 ms, without idle and iowait, and without nice, which gives way to what is
// measured. What follows steal is part of user.
func busySeconds(line string) float64 {
	fields := strings.Fields(line)
	var ticks float64
	for _, i := range []int{1, 3, 6, 7, 8} {
		if i < len(fields) {
			v, _ := strconv.ParseFloat(fields[i], 64)
			ticks += v
		}
	}
	return ticks / 100
}

// ownSeconds returns the CPU time of this process and of all those it has waited for.
func ownSeconds() (sum float64) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
		}
	}
	return sum
}
