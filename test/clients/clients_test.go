// Package clients shows that clients which nobody here wrote understand a node: a
// browser, Python's websockets and Node's ws.
package clients

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/browser"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// node is a wsnode that runs, or did.
type node struct {
	ws, admin string
	bin       string
	args      []string
	cmd       *exec.Cmd
}

func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "wsnode")
	out, err := exec.Command("go", "build", "-o", bin, "../../server").CombinedOutput()
	require.NoError(t, err, "%s", out)
	listen, admin := tcptest.FreeAddr(t), tcptest.FreeAddr(t)
	n := &node{ws: "ws://" + listen + "/", admin: "http://" + admin, bin: bin}
	n.args = append([]string{"-listen", listen, "-admin", admin}, args...)
	n.start(t)
	t.Cleanup(n.kill)
	return n
}

// start runs the node and waits until it is ready.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.cmd = exec.Command(n.bin, n.args...)
	n.cmd.Stderr = os.Stderr
	require.NoError(t, n.cmd.Start())
	require.Eventually(t, func() bool {
		resp, err := http.Get(n.admin + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
}

// kill ends the node at once, as a power loss would.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}

func (n *node) publish(t *testing.T, channel, message string) {
	t.Helper()
	resp, err := http.Post(n.admin+"/publish?channel="+url.QueryEscape(channel), "text/plain", strings.NewReader(message))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

// expect reads the two lines that each client prints.
func (n *node) expect(t *testing.T, lines <-chan string) {
	t.Helper()
	read := func() string {
		select {
		case line := <-lines:
			return line
		case <-time.After(60 * time.Second):
			return "(nothing within a minute)"
		}
	}
	require.Equal(t, "Server received: hi", read())
	n.publish(t, "broadcast", "hello")
	require.Equal(t, "hello", read())
}

// start runs a program, with all the processes it starts, until the test ends and
// returns its lines. What it says on stderr is shown if the test fails.
func start(t *testing.T, dir, name string, args ...string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "%s is not installed: make deps", name)
	lines := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if t.Failed() {
			t.Logf("%s: %s", name, stderr.String())
		}
	})
	return lines
}

func TestPythonWebsockets(t *testing.T) {
	n := startNode(t)
	n.expect(t, start(t, ".", "/usr/bin/python3", "client.py", n.ws))
}

func TestNodeWS(t *testing.T) {
	n := startNode(t)
	dir := t.TempDir()
	for _, name := range []string{"package.json", "client.js"} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--silent")
	install.Dir = dir
	out, err := install.CombinedOutput()
	require.NoError(t, err, "npm install: %s", out)
	n.expect(t, start(t, dir, "node", "client.js", n.ws))
}

func TestBrowser(t *testing.T) {
	n := startNode(t)
	lines := make(chan string, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "page.html") })
	mux.HandleFunc("POST /line", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		lines <- string(b)
	})
	page := httptest.NewServer(mux)
	defer page.Close()
	// The browser's page comes from another origin than the node, as users' pages do.
	browser.Start(t, fmt.Sprintf("%s/?url=%s", page.URL, url.QueryEscape(strings.Replace(n.ws, "127.0.0.1", "localhost", 1))))
	n.expect(t, lines)
}
