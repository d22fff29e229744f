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

// machineWatch tells what the machine does beside the programs that this one starts.
type machineWatch struct {
	start     time.Time
	busy, own float64 // seconds of CPU when it was started
}

func watchMachine() machineWatch {
	return machineWatch{time.Now(), machineSeconds(), ownSeconds()}
}

// others returns the part of all CPUs that other processes, or the host's other guests,
// have taken since. The programs started meanwhile must have ended.
func (w machineWatch) others() float64 {
	busy, own := machineSeconds()-w.busy, ownSeconds()-w.own
	return max(0, busy-own) / (time.Since(w.start).Seconds() * float64(runtime.NumCPU()))
}

// waitQuiet returns after a second in which others took no more than maxDisturbance, or
// when patience is at an end.
func waitQuiet(ctx context.Context, patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; {
		w := watchMachine()
		time.Sleep(time.Second)
		if w.others() <= maxDisturbance {
			return
		}
	}
}

// machineSeconds returns for how long all CPUs together were not idle since boot.
func machineSeconds() float64 {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return busySeconds(string(line))
}

// busySeconds adds up the line "cpu user nice system idle iowait irq softirq steal …",
// in ticks of 10 ms, without idle and iowait. What follows steal is part of user.
func busySeconds(line string) float64 {
	fields := strings.Fields(line)
	var ticks float64
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
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
