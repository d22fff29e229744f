//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// Servers that nobody here wrote.

// startForeign runs a server until the test ends. It prints its port first.
func startForeign(t *testing.T, dir, name string, args ...string) (port int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "%s is not installed: make deps", name)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	out := bufio.NewReader(stdout)
	_, err = fmt.Fscanf(out, "port %d\n", &port)
	require.NoError(t, err, "%s does not say its port", name)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return port
}

// schemes runs test with and without TLS. pem has the server's certificate and key,
// args tell wsload of its CA; both are empty without TLS.
func schemes(t *testing.T, test func(t *testing.T, scheme, pem string, args []string)) {
	t.Run("ws", func(t *testing.T) {
		t.Parallel()
		test(t, "ws", "", nil)
	})
	t.Run("wss", func(t *testing.T) {
		t.Parallel()
		ca := newAuthority(t)
		test(t, "wss", ca.issueFile(t), []string{"-ca", ca.file})
	})
}

const foreignConnections = 250

// proven checks a run in which all was well.
func proven(t *testing.T, r *result, broadcasts int64) {
	t.Helper()
	require.Zero(t, r.status, r.output())
	require.True(t, r.report.OK)
	require.EqualValues(t, foreignConnections, r.report.Held)
	require.Equal(t, report.EchoCounts{Sent: foreignConnections, OK: foreignConnections}, r.report.Echo.EchoCounts)
	require.EqualValues(t, foreignConnections, r.report.Echo.Percentiles.Count)
	require.Zero(t, r.report.Failed+r.report.ClosedUnexpected+r.report.CloseFailed+r.report.Foreign, r.output())
	require.EqualValues(t, broadcasts*foreignConnections, r.report.Broadcast.Delivered)
}

func TestPythonWebsockets(t *testing.T) {
	t.Parallel()
	schemes(t, func(t *testing.T, scheme, pem string, args []string) {
		file := filepath.Join(t.TempDir(), "messages")
		require.NoError(t, os.WriteFile(file, []byte("{\"say\": \"{{.}}\"}\nping\r\nGrüße: {{.}}\n"), 0o600))
		serverArgs := []string{"server.py"}
		if pem != "" {
			serverArgs = append(serverArgs, pem)
		}
		port := startForeign(t, "testdata", "/usr/bin/python3", serverArgs...)
		args = append(args, "-a", fmt.Sprint(foreignConnections), "-c", "250", "-w", "2", "-subprotocol", "news,chat",
			"-message-file", file, "-echo-reply", "{{.}}", fmt.Sprintf("%s://localhost:%d/", scheme, port))
		proven(t, load(t, args...), 0)
	})
}

func TestNodeWS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, from := range map[string]string{"package.json": "../test/clients/package.json", "server.js": "testdata/server.js"} {
		b, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--silent")
	install.Dir = dir
	out, err := install.CombinedOutput()
	require.NoError(t, err, "npm install: %s", out)
	schemes(t, func(t *testing.T, scheme, pem string, args []string) {
		serverArgs := []string{"server.js"}
		if pem != "" {
			serverArgs = append(serverArgs, pem)
		}
		port := startForeign(t, dir, "node", serverArgs...)
		args = append(args, "-a", fmt.Sprint(foreignConnections), "-c", "250", "-w", "2", "-echo-binary", "-echo-size", "70000", "-echo-reply", "{{.}}")
		if scheme == "ws" { // what is published comes over plain HTTP
			args = append(args, "-broadcasts", "4", "-broadcast-rate", "20", "-publish", fmt.Sprintf("http://localhost:%d/", port))
		}
		r := load(t, append(args, fmt.Sprintf("%s://localhost:%d/", scheme, port))...)
		if scheme == "ws" {
			proven(t, r, 4)
		} else {
			proven(t, r, 0)
		}
	})
}

// gws and nbio answer as wsnode does. TLS is HAProxy's there.
func TestGwsAndNbio(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "./peers")
	build.Dir = "../test/bench"
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, library := range []string{"gws", "nbio"} {
		t.Run(library, func(t *testing.T) {
			schemes(t, func(t *testing.T, scheme, _ string, _ []string) {
				listen, admin := tcptest.FreeAddr(t), tcptest.FreeAddr(t)
				cmd := exec.Command(filepath.Join(dir, "peers"), "-lib", library, "-listen", listen, "-admin", admin)
				cmd.Stderr = os.Stderr
				require.NoError(t, cmd.Start())
				t.Cleanup(func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				})
				require.Eventually(t, func() bool {
					resp, err := http.Get("http://" + admin + "/readyz")
					if err != nil {
						return false
					}
					resp.Body.Close()
					conn, err := net.Dial("tcp", listen)
					if err != nil {
						return false
					}
					return conn.Close() == nil
				}, 30*time.Second, 10*time.Millisecond)
				args := []string{"-a", fmt.Sprint(foreignConnections), "-c", "250", "-w", "2", "-broadcasts", "4", "-broadcast-rate", "20", "-publish", "http://" + admin + "/publish"}
				url := "ws://" + listen + "/"
				if scheme == "wss" {
					ca := newAuthority(t)
					url = startHAProxy(t, ca, listen)
					args = append(args, "-ca", ca.file)
				}
				proven(t, load(t, append(args, url)...), 4)
			})
		})
	}
}
