// Package redistest starts real redis-server processes for tests: single ones, a
// primary and its replica under Sentinel, and a cluster.
package redistest

import (
	"context"
	"crypto/tls"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// startTimeout is generous: machines that run tests are busy.
const startTimeout = 60 * time.Second

// Every failure of go-redis also comes back as an error.
func init() { logging.Disable() }

// Setup says how servers are started. The zero value is plain TCP without a password.
type Setup struct {
	TLS      bool     // TLS only, with certificates of an authority of the test's own
	Password string   // which clients, replicas and Sentinels must give
	Args     []string // added to the command line of each server, e.g. --appendonly yes
}

// Server is a running redis-server of a test.
type Server struct {
	Addr string // host:port on loopback
	URL  string // redis://host:port/0, or rediss
	// CAFile is what the server's certificate leads to; "" without TLS.
	CAFile string
	// Client speaks to this server alone; it ends with the test.
	Client *redis.Client

	setup   Setup
	primary *Server // whose replica it starts as, nil for none
	tls     *tls.Config
	bus     int // its port for other members, in a cluster
	dir     string
	args    []string
	process *process
}

// Start runs a redis-server on a free port of loopback until the test ends. args
// are added to its command line.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return Setup{Args: args}.Start(t)
}

// Start runs a single server until the test ends.
func (s Setup) Start(t testing.TB) *Server {
	t.Helper()
	server := s.server(t, s.certificates(t))
	server.Restart(t)
	return server
}

// server prepares one; args come after a data server's usual ones.
func (s Setup) server(t testing.TB, certs *certificates, args ...string) *Server {
	t.Helper()
	server := s.address(t, certs)
	server.bus = tcptest.FreePort(t)
	server.args = append([]string{
		"--save", "", "--dir", server.dir, "--repl-diskless-sync-delay", "0", "--cluster-port", strconv.Itoa(server.bus),
	}, server.args...)
	if s.Password != "" {
		server.args = append(server.args, "--requirepass", s.Password, "--masterauth", s.Password)
	}
	server.args = append(append(server.args, args...), s.Args...)
	return server
}

// address prepares a server of any kind: its address, how to listen there, its end.
func (s Setup) address(t testing.TB, certs *certificates) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed: apt-get install redis-server")
	}
	server := &Server{Addr: tcptest.FreeAddr(t), setup: s, dir: t.TempDir(), args: []string{"--bind", "127.0.0.1"}}
	server.URL = "redis://" + server.Addr + "/0"
	_, port, _ := net.SplitHostPort(server.Addr)
	if certs != nil {
		server.URL = "rediss://" + server.Addr + "/0"
		server.CAFile, server.tls = certs.caFile, certs.client
		server.args = append(server.args, certs.args()...)
		server.args = append(server.args, "--port", "0", "--tls-port", port)
	} else {
		server.args = append(server.args, "--port", port)
	}
	server.Client = redis.NewClient(&redis.Options{
		Addr: server.Addr, Password: s.Password, TLSConfig: server.tls, MaxRetries: -1, DialerRetries: 1,
		PoolSize: 10, DisableIdentity: true, Protocol: 2, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() {
		server.Client.Close()
		server.Kill()
	})
	return server
}

// Restart starts the server again, after Kill, on the same address and with the
// files it left. It returns once the server answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.launch(t)
	s.await(t)
}

// launch starts the process and doesn't wait for it.
func (s *Server) launch(t testing.TB) {
	t.Helper()
	if s.process != nil {
		t.Fatal("redis-server runs already: " + s.Addr)
	}
	args := s.args
	if s.primary != nil {
		args = append(slices.Clone(args), "--replicaof", s.primary.endpoint())
	}
	s.process = startProcess(t, s.dir, "redis-server", args...)
}

// endpoint is the address as Redis' configuration has it.
func (s *Server) endpoint() string { return strings.Replace(s.Addr, ":", " ", 1) }

// await returns once the server has loaded its data and answers.
func (s *Server) await(t testing.TB) {
	t.Helper()
	eventually(t, "redis-server answers on "+s.Addr, func(ctx context.Context) bool {
		select {
		case <-s.process.done:
			t.Fatalf("redis-server on %s ended: %s", s.Addr, s.process.said())
		default:
		}
		conn, err := net.Dial("tcp", s.Addr) // Client would wait a second after a few failures
		if err != nil {
			return false
		}
		conn.Close()
		err = s.Client.Ping(ctx).Err()
		return err == nil || strings.HasPrefix(err.Error(), "NOAUTH")
	}, s)
}

// Kill ends the server at once, as a power loss would.
func (s *Server) Kill() {
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

// Freeze makes the server hang, with its connections open, until Thaw.
func (s *Server) Freeze() { s.process.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() { s.process.signal(syscall.SIGCONT) }

// Running reports whether the server was started and not killed.
func (s *Server) Running() bool { return s.process != nil }

// CLI runs redis-cli against the server and returns what it prints.
func (s *Server) CLI(t testing.TB, args ...string) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	all := []string{"-h", host, "-p", port}
	if s.CAFile != "" {
		all = append(all, "--tls", "--cacert", s.CAFile)
	}
	if s.setup.Password != "" {
		all = append(all, "--no-auth-warning", "-a", s.setup.Password)
	}
	out, err := exec.Command("redis-cli", append(all, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// eventually asks until the answer is yes. The logs of servers tell why it never was.
func eventually(t testing.TB, what string, yes func(context.Context) bool, servers ...*Server) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		ok := yes(ctx)
		cancel()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			for _, s := range servers {
				if s.process != nil {
					t.Logf("%s:\n%s", s.Addr, s.process.said())
				}
			}
			t.Fatalf("waited %v in vain: %s", startTimeout, what)
		}
	}
}
