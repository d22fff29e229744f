//go:build linux

package siege

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// node is a wsnode process.
type node struct {
	t      *testing.T
	cmd    *exec.Cmd
	listen string // host:port
	admin  string // http://host:port
	exited chan error
	http   http.Client // for admin
	ns     *namespace  // where it runs
}

// startNode runs wsnode until the test ends. Wrap, if given, is a command that runs
// it, such as one that sets limits; it must exec rather than fork.
func startNode(t *testing.T, wrap []string, args ...string) *node {
	t.Helper()
	return startNodeIn(t, nil, wrap, args...)
}

// startNodeIn is startNode in a network namespace; nil is that of the test.
func startNodeIn(t *testing.T, ns *namespace, wrap []string, args ...string) *node {
	t.Helper()
	n := &node{t: t, listen: tcptest.FreeAddr(t), exited: make(chan error, 1), ns: ns}
	n.http = http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: ns.dial}}
	admin := tcptest.FreeAddr(t)
	n.admin = "http://" + admin
	argv := append(append([]string{}, wrap...), filepath.Join(bin, "wsnode"), "-listen", n.listen, "-admin", admin, "-log-level", "warn")
	argv = append(argv, args...)
	n.cmd = exec.Command(argv[0], argv[1:]...)
	n.cmd.Stderr = os.Stderr
	require.NoError(t, ns.run(n.cmd.Start))
	go func() { n.exited <- n.cmd.Wait() }()
	t.Cleanup(func() { _ = n.cmd.Process.Kill() })
	require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusOK }, 10*time.Second, 20*time.Millisecond, "wsnode is not ready")
	return n
}

func (n *node) url() string { return "ws://" + n.listen + "/" }

// status is the HTTP status of a page of the admin address, 0 if there is no answer.
func (n *node) status(path string) int {
	resp, err := n.http.Get(n.admin + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// resident is the process' resident memory in bytes.
func (n *node) resident() float64 {
	n.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.cmd.Process.Pid))
	require.NoError(n.t, err)
	pages, err := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	require.NoError(n.t, err)
	return pages * float64(os.Getpagesize())
}
