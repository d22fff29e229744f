package moto

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// amis holds Debian's images as they are published on AWS (owner, name), so that the lookup by owner and name finds one.
// They have no creation date: moto 5.2 parses it in place, and fails on it when a second region or account asks.
//
//go:embed amis.json
var amis []byte

// startTimeout is long: moto imports the models of a hundred services.
const startTimeout = 60 * time.Second

// launcher is moto's server with what emulator.yaml says of it.
//
//go:embed launcher.py
var launcher string

// Server is a running moto.
type Server struct {
	cmd  *exec.Cmd
	addr string
	done chan struct{}
	err  error // why it ended; read after done is closed
}

// Start starts moto on a port of the loopback address and waits until it answers. It ends with this process.
func Start(ctx context.Context, inst Installation, port int, dir, logFile string) (*Server, error) {
	if err := CheckPort(port); err != nil {
		return nil, err
	}
	images := filepath.Join(dir, "amis.json")
	if err := os.WriteFile(images, amis, 0o644); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), done: make(chan struct{})}
	s.cmd = exec.Command(inst.Python, "-c", launcher, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	s.cmd.Env = append(os.Environ(), "MOTO_AMIS_PATH="+images, "PYTHONUNBUFFERED=1")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}

	started := make(chan error, 1)
	go func() { // Pdeathsig counts the death of the thread that started the command
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
		}
		close(s.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	if err := s.wait(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w (log: %s)", err, logFile)
	}
	return s, nil
}

// wait returns once the server answers.
func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/moto-api/data.json", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("moto ended while it started: %w", s.Err())
		case <-ctx.Done():
			return fmt.Errorf("moto does not answer on %s: %w", s.URL(), ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// URL is the endpoint of the AWS API.
func (s *Server) URL() string { return "http://" + s.addr }

// Address is host and port of the endpoint.
func (s *Server) Address() string { return s.addr }

// PID is the server's process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why the server ended. Call it after Done.
func (s *Server) Err() error {
	if s.err == nil {
		return errors.New("moto's server exited with status 0")
	}
	return fmt.Errorf("moto's server exited: %w", s.err)
}

// Stop ends the server: its state is in memory only, there is nothing to save.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.done
}
