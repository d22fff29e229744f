//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

// usageInterval is how often the worker looks what it takes of the machine: a part
// of the timeline's interval, so that each point has about its own share.
const usageInterval = 200 * time.Millisecond

// tlsGCPercent is how much garbage the heap may hold in a worker whose clients have
// TLS, in percent of what is in use: their handshakes leave a lot of it behind. It saves
// a third of the memory, measured, and costs little.
const tlsGCPercent = 25

// workerMain is the whole life of a worker process.
func workerMain(stdin io.Reader, stdout, stderr io.Writer) int {
	// A service manager's signals reach all processes of the service; the leader
	// decides what they mean.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
	w := &worker{out: json.NewEncoder(stdout)}
	w.usage.EmptyBytes = residentBytes()
	if err := w.run(readCommands(stdin)); err != nil {
		_ = w.out.Encode(event{Commands: w.commands, Error: err.Error()})
		fmt.Fprintln(stderr, "wsload worker:", err)
		return exitFailed
	}
	return exitOK
}

// readCommands ends the process with its input: the leader is gone then.
func readCommands(r io.Reader) <-chan command {
	commands := make(chan command)
	go func() {
		d := json.NewDecoder(bufio.NewReader(r))
		for {
			var c command
			if err := d.Decode(&c); err != nil {
				os.Exit(exitFailed)
			}
			commands <- c
		}
	}()
	return commands
}

type worker struct {
	out      *json.Encoder
	engine   *engine.Engine
	commands int
	usage    report.Usage
	ahead    time.Duration // as engine.Config.ClockAhead

	last   string // progress sent last
	usedAt time.Time
}

func (w *worker) run(commands <-chan command) error {
	first := <-commands
	if first.Do != doConfigure || first.Config == nil || first.Every <= 0 {
		return fmt.Errorf("the first command is %q, want %q and all that belongs to it", first.Do, doConfigure)
	}
	if first.Config.HasTLS() {
		debug.SetGCPercent(tlsGCPercent)
	}
	if first.Crowded {
		// Go wakes a second thread to look for work that the one loop does not have; here others wait for the CPU.
		runtime.GOMAXPROCS(1)
	}
	var err error
	if w.engine, err = engine.New(*first.Config); err != nil {
		return err
	}
	w.ahead = first.Config.ClockAhead
	w.commands++
	ended := make(chan error, 1)
	go func() { ended <- w.engine.Run() }()
	tick := time.NewTicker(first.Every)
	defer tick.Stop()
	for {
		select {
		case c := <-commands:
			if c.Do == doFinish {
				var published engine.Published
				if c.Published != nil {
					published = *c.Published
				}
				counts := w.engine.Finish(published)
				w.look()
				counts.Usage = w.usage
				return w.out.Encode(event{Commands: w.commands + 1, Result: counts})
			}
			w.obey(c)
		case <-tick.C:
		case err := <-ended:
			return fmt.Errorf("event loop ended: %w", err)
		}
		if err := w.progress(); err != nil {
			return err
		}
	}
}

func (w *worker) obey(c command) {
	w.commands++
	at := time.Now().Add(time.Until(time.Unix(0, c.At).Add(w.ahead))) // with this process's monotonic clock
	switch c.Do {
	case doRamp:
		w.engine.Ramp(at)
	case doListen:
		w.engine.Listen(c.Late)
	case doPhase:
		w.engine.Begin(c.Number, *c.Phase, at)
	case doClose:
		w.usage.HeldBytes = residentBytes()
		w.engine.Close(at)
	}
}

// progress sends what has changed.
func (w *worker) progress() error {
	p, ok := w.engine.Snapshot(true)
	if !ok {
		return nil // run is about to find out why
	}
	if time.Since(w.usedAt) >= usageInterval {
		w.look()
	}
	p.Usage = w.usage
	line, err := json.Marshal(event{Commands: w.commands, Progress: &p})
	if err != nil {
		return err
	}
	if string(line) == w.last {
		return nil
	}
	w.last = string(line)
	return w.out.Encode(json.RawMessage(line))
}

// look notes what the process takes of the machine now.
func (w *worker) look() {
	w.usage.ResidentBytes, w.usage.CPUSeconds = residentBytes(), cpuSeconds()
	w.usedAt = time.Now()
}

// residentBytes is what the process holds of the machine's memory.
func residentBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// cpuSeconds is the process's time in user and system mode.
func cpuSeconds() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
