package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Ports of the server under test, on loopback.
const (
	listenAddr = "127.0.0.1:18765"
	adminAddr  = "127.0.0.1:18766"
)

const (
	// connectRate is connections and echoes a second: some half of what two cores do.
	connectRate = 3000
	// broadcasts to all connections.
	broadcasts = 10
	// holdTime is idle time before the memory is read; the runtime gives back
	// nothing it would not give back in production.
	holdTime = 8 * time.Second
)

// figures of one run: bytes and seconds.
type figures struct {
	idleBytes                        float64 // resident memory of a connection that has echoed
	connectCPU, echoCPU, deliveryCPU float64 // user and system time of the server
	p50, p99                         float64
}

type bench struct {
	root, dir, peers string
	plan
}

func (b bench) start(lib string) (*exec.Cmd, error) {
	cmd := exec.Command(b.peers, "-lib", lib, "-listen", listenAddr, "-admin", adminAddr)
	if lib == "wsnode" {
		cmd = exec.Command(filepath.Join(b.root, "bin", "wsnode"), "-listen", listenAddr, "-admin", adminAddr,
			"-heartbeat-interval", "0", "-log-level", "warn") // the peers have no heartbeat
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get("http://" + adminAddr + "/readyz"); err == nil {
			resp.Body.Close()
			return cmd, nil
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return nil, fmt.Errorf("does not answer on %s", adminAddr)
}

// measure runs one server and one wsload, and takes the server's figures whenever
// wsload enters its next phase.
func (b bench) measure(lib string) (f figures, err error) {
	server, err := b.start(lib)
	if err != nil {
		return f, err
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	pid := server.Process.Pid
	empty, cpu := residentBytes(pid), cpuSeconds(pid)

	reportFile := filepath.Join(b.dir, "report.json")
	load := exec.Command(filepath.Join(b.root, "bin", "wsload"),
		"-a", strconv.Itoa(b.connections), "-c", strconv.Itoa(connectRate), "-w", "1", "-echo-size", strconv.Itoa(b.size),
		"-broadcasts", strconv.Itoa(broadcasts), "-broadcast-size", "128", "-broadcast-rate", "1",
		"-publish", "http://"+adminAddr+"/publish?channel=broadcast", "-hold", holdTime.String(),
		"-close", "abort", "-json", reportFile, "ws://"+listenAddr+"/")
	out, err := load.StdoutPipe()
	if err != nil {
		return f, err
	}
	var last []string
	if err := load.Start(); err != nil {
		return f, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = append(last, lines.Text())
		phase, ok := strings.CutPrefix(lines.Text(), "phase: ")
		if !ok {
			continue
		}
		now := cpuSeconds(pid)
		switch name, _, _ := strings.Cut(phase, " "); name {
		case "echo":
			f.connectCPU = (now - cpu) / float64(b.connections)
		case "broadcast":
			f.echoCPU = (now - cpu) / float64(b.connections)
		case "hold":
			f.deliveryCPU = (now - cpu) / float64(b.connections*broadcasts)
		case "close":
			f.idleBytes = (residentBytes(pid) - empty) / float64(b.connections)
		}
		cpu = now
	}
	if err := load.Wait(); err != nil {
		return f, fmt.Errorf("wsload: %w\n%s", err, strings.Join(last[max(0, len(last)-20):], "\n"))
	}
	return f, f.readLatency(reportFile)
}

func (f *figures) readLatency(reportFile string) error {
	raw, err := os.ReadFile(reportFile)
	if err != nil {
		return err
	}
	var r struct{ Echo struct{ P50, P99 float64 } }
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	f.p50, f.p99 = r.Echo.P50, r.Echo.P99
	return nil
}

// cpuSeconds adds up what the scheduler gave to the threads of a process, in
// nanoseconds in /proc/PID/task/TID/schedstat, where /proc/PID/stat has ticks of 10 ms.
func cpuSeconds(pid int) float64 {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var sum float64
	for _, file := range files {
		b, _ := os.ReadFile(file)
		if fields := strings.Fields(string(b)); len(fields) > 0 {
			ns, _ := strconv.ParseFloat(fields[0], 64)
			sum += ns
		}
	}
	return sum / 1e9
}

// residentBytes reads VmRSS.
func residentBytes(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize())
}
