// Package redistest starts real redis-server processes for tests.
package redistest

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// Server is a running redis-server of a test.
type Server struct {
	Addr string // host:port on loopback
	URL  string // redis://host:port/0
	dir  string
	args []string
	cmd  *exec.Cmd
}

// Start runs a redis-server on a free port of loopback until the test ends. args
// are added to its command line.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed: apt-get install redis-server")
	}
	s := &Server{Addr: tcptest.FreeAddr(t), dir: t.TempDir(), args: args}
	s.URL = "redis://" + s.Addr + "/0"
	s.Restart(t)
	t.Cleanup(s.Kill)
	return s
}

// Restart starts the server again, after Kill, on the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	_, port, _ := net.SplitHostPort(s.Addr)
	s.cmd = exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", s.dir, "--loglevel", "warning",
	}, s.args...)...)
	var out strings.Builder
	s.cmd.Stdout, s.cmd.Stderr = &out, &out
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.Addr); err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Kill()
			t.Fatalf("redis-server does not answer on %s: %s", s.Addr, out.String())
		}
	}
}

// Kill ends the server at once, as a power loss would.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// CLI runs redis-cli against the server and returns what it prints.
func (s *Server) CLI(t testing.TB, args ...string) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	out, err := exec.Command("redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
