//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// startHAProxy puts a HAProxy with TLS before the server at addr, until the test
// ends. It takes only connections that name localhost (SNI). It returns the URL.
func startHAProxy(t *testing.T, ca *authority, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	socket, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	ln.Close() // HAProxy has it as descriptor 3
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global
  maxconn 4000
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend wss
  bind fd@3 ssl crt %s strict-sni alpn http/1.1
  default_backend node
backend node
  server node %s
`, ca.issueFile(t), addr), 0o600))
	cmd := exec.Command("haproxy", "-db", "-f", config)
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start(), "haproxy is not installed: make deps")
	socket.Close() // what comes before HAProxy is ready waits in the socket
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return fmt.Sprintf("wss://localhost:%d/ws", port)
}

// address returns host:port of a URL.
func address(t *testing.T, url string) string {
	t.Helper()
	_, rest, ok := strings.Cut(url, "://")
	require.True(t, ok, url)
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func TestWSSThroughHAProxy(t *testing.T) {
	t.Parallel()
	ca, n := newAuthority(t), startNode(t)
	url := startHAProxy(t, ca, address(t, n.url))
	r := load(t, "-a", "600", "-c", "600", "-w", "2", "-hold", "1s", "-ca", ca.file, "-echo-size", "40000",
		"-broadcasts", "5", "-broadcast-rate", "20", "-broadcast-size", "20000", "-publish", n.publish, url)
	require.Zero(t, r.status, r.output())
	require.EqualValues(t, 600, r.report.Held)
	require.Equal(t, report.EchoCounts{Sent: 600, OK: 600}, r.report.Echo.EchoCounts)
	require.Equal(t, report.BroadcastCounts{Listeners: 600, Expected: 3000, Delivered: 3000}, r.report.Broadcast.BroadcastCounts)
	require.Zero(t, r.report.ClosedUnexpected+r.report.CloseFailed)

	r = load(t, "-a", "20", "-insecure", url)
	require.Zero(t, r.status, r.output())
	r = load(t, "-a", "20", "-ca", newAuthority(t).file, url)
	require.Equal(t, report.Classes{"handshake.tls_unknown_ca": 20}, r.report.Failures)
	r = load(t, "-a", "20", "-ca", ca.file, strings.Replace(url, "localhost", "127.0.0.1", 1))
	require.Equal(t, report.Classes{"handshake.tls_alert": 20}, r.report.Failures)
	require.Equal(t, "remote error: tls: unrecognized name", r.report.Samples[0].Error)
}

// What a scenario says of clients holds for every connection, those of clients that
// come back too.
func TestStormAndChurnWithTLS(t *testing.T) {
	t.Parallel()
	ca, n := newAuthority(t), startNode(t)
	url := startHAProxy(t, ca, address(t, n.url))
	file := writeFile(t, fmt.Sprintf(`
connections: 200
connect: {rate: 400}
ca: %s
headers: {Origin: %q}
token: any
token_in: query
phases:
  - storm: {within: 1s}
  - churn: {rate: 50, for: 2s}
  - echo: {message: 'hello {{.}}', binary: true, rounds: 2}
`, ca.file, strings.Replace(url, "wss", "https", 1)))
	r := load(t, "run", "-w", "2", file, url)
	require.Zero(t, r.status, r.output())
	require.EqualValues(t, 200, r.report.Held)
	require.EqualValues(t, 400, r.report.Echo.OK)
	require.GreaterOrEqual(t, r.report.Reconnect.OK, int64(300))
	require.Zero(t, r.report.Failed+r.report.ClosedUnexpected+r.report.CloseFailed)
}
