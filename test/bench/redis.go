package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// redis is a redis-server of our own, which keeps everything in memory.
type redis struct {
	cmd  *exec.Cmd
	addr string
	dir  string
}

func startRedis(ctx context.Context) (*redis, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	ln.Close()
	dir, err := os.MkdirTemp("", "wsfleet-bench-redis-")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	r := &redis{addr: addr, dir: dir, cmd: exec.CommandContext(ctx, "redis-server",
		"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--loglevel", "warning")}
	r.cmd.Stderr = os.Stderr
	if err := r.cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return r, nil
		}
	}
	r.stop()
	return nil, fmt.Errorf("redis-server does not answer on %s", addr)
}

func (r *redis) stop() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	os.RemoveAll(r.dir)
}

func (r *redis) url() string { return "redis://" + r.addr + "/0" }

// redisVersion asks the program.
func redisVersion() string {
	out, _ := exec.Command("redis-server", "--version").Output()
	for _, field := range strings.Fields(string(out)) {
		if v, ok := strings.CutPrefix(field, "v="); ok {
			return "Redis " + v
		}
	}
	return "Redis of unknown version"
}
