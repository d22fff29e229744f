//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// commandTimeout is how long a worker may take to read a command before it
	// counts as dead.
	commandTimeout = 10 * time.Second
	// stderrTail is how much of a worker's last words is kept, in bytes.
	stderrTail = 4 << 10
)

// process is a worker on this host, and the near end of its standard streams.
type process struct {
	io.Reader // its standard output
	cmd       *exec.Cmd
	stdin     *os.File
	last      tail
}

// startProcess starts this program as a worker.
func startProcess() (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	p := &process{cmd: exec.Command(exe, workerArgument)}
	stdin, toWorker, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	p.cmd.Stdin, p.cmd.Stderr, p.stdin = stdin, &p.last, toWorker
	// A group of their own: Ctrl-C on a terminal is for the leader alone.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.Reader, err = p.cmd.StdoutPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		toWorker.Close()
		return nil, err
	}
	return p, nil
}

// Write hands the worker commands. It must take them in time.
func (p *process) Write(b []byte) (int, error) {
	_ = p.stdin.SetWriteDeadline(time.Now().Add(commandTimeout))
	return p.stdin.Write(b)
}

// Close ends the worker's input, which ends the worker.
func (p *process) Close() error { return p.stdin.Close() }

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// wait waits for the end, once all output has been read, and returns what is known
// of its cause; nil if it went well.
func (p *process) wait(error) error {
	err := p.cmd.Wait()
	if text := p.last.String(); err != nil && text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	p  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p = append(t.p, p...)
	if excess := len(t.p) - stderrTail; excess > 0 {
		t.p = append(t.p[:0], t.p[excess:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.p))
}
