package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Addresses of the server under test, on loopback.
const (
	listenAddr = "127.0.0.1:18765"
	adminAddr  = "127.0.0.1:18766"
)

// heartbeatTimeout in heartbeats: so many that a busy machine costs no connection.
const heartbeatTimeout = 10

// setup is one server as it is to be started.
type setup struct {
	lib   string
	args  []string // more flags
	redis bool     // with a Redis of its own; of wsnode
}

// server is one that runs.
type server struct {
	cmd    *exec.Cmd
	pongs  string  // name of its metric of heartbeats that came back
	empty  float64 // resident memory without a connection, in bytes
	lapped float64 // CPU time at the last lap, in seconds

	redis       *redis // nil without one
	redisLapped float64
}

// start starts a server that pings its clients every heartbeat, or never if it is 0,
// and waits until it is ready.
func (r *runner) start(ctx context.Context, s setup, heartbeat time.Duration) (*server, error) {
	if err := free(listenAddr, adminAddr); err != nil {
		return nil, err
	}
	args := append([]string{"-listen", listenAddr, "-admin", adminAddr}, s.args...)
	srv := &server{}
	switch s.lib {
	case "wsnode":
		srv.pongs = "wsnode_heartbeat_rtt_seconds_count"
		args = append(args, "-log-level", "warn", "-heartbeat-interval", heartbeat.String())
		if heartbeat > 0 {
			args = append(args, "-heartbeat-timeout", (heartbeatTimeout * heartbeat).String())
		}
		srv.cmd = exec.CommandContext(ctx, r.wsnode, args...)
		if s.redis {
			var err error
			if srv.redis, err = startRedis(ctx); err != nil {
				return nil, err
			}
			srv.cmd.Args = append(srv.cmd.Args, "-broker", srv.redis.url())
		}
	case "floor":
		srv.cmd = exec.CommandContext(ctx, r.floor, args...)
	default:
		srv.pongs = "peer_pongs_total"
		args = append(args, "-lib", s.lib, "-heartbeat", heartbeat.String(), "-heartbeat-timeout", (heartbeatTimeout * heartbeat).String())
		srv.cmd = exec.CommandContext(ctx, r.peers, args...)
	}
	srv.cmd.Stderr = os.Stderr
	if err := srv.cmd.Start(); err != nil {
		srv.stopRedis()
		return nil, err
	}
	if err := srv.waitReady(); err != nil {
		srv.stop()
		return nil, err
	}
	srv.empty = residentBytes(srv.cmd.Process.Pid)
	srv.lap()
	return srv, nil
}

// free reports whether nobody listens on the addresses: another run's server would be
// measured in place of ours.
func free(addresses ...string) error {
	for _, a := range addresses {
		ln, err := net.Listen("tcp4", a)
		if err != nil {
			return fmt.Errorf("is another bench running? %w", err)
		}
		ln.Close()
	}
	return nil
}

func (s *server) waitReady() error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + adminAddr + "/readyz")
		if err == nil {
			resp.Body.Close()
			return nil
		}
	}
	return fmt.Errorf("%s does not answer on %s", filepath.Base(s.cmd.Path), adminAddr)
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.stopRedis()
}

func (s *server) stopRedis() {
	if s.redis != nil {
		s.redis.stop()
	}
}

// lap returns the CPU time that the server took since the last lap, in seconds.
func (s *server) lap() float64 {
	now := useOf(s.cmd.Process.Pid).cpu
	d := now - s.lapped
	s.lapped = now
	return d
}

// redisLap is lap of its Redis, 0 without one.
func (s *server) redisLap() float64 {
	if s.redis == nil {
		return 0
	}
	now := useOf(s.redis.cmd.Process.Pid).cpu
	d := now - s.redisLapped
	s.redisLapped = now
	return d
}

// memory returns what the server holds beyond its empty self, in bytes.
func (s *server) memory() float64 { return residentBytes(s.cmd.Process.Pid) - s.empty }

// heartbeats returns how many of the server's pings were answered so far.
func (s *server) heartbeats() (float64, error) {
	resp, err := http.Get("http://" + adminAddr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), s.pongs+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("the server has no metric %s", s.pongs)
}

// residentBytes reads the resident memory of a process.
func residentBytes(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize())
}
