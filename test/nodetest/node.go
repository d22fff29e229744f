//go:build linux

package nodetest

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// Setup says how processes are started. The zero value starts them as they are.
type Setup struct {
	// Wrap is a command that runs wsnode, such as one that sets limits; it must exec
	// rather than fork.
	Wrap []string
	// In runs a function where the processes are to be, such as in a network
	// namespace, and Dial connects from there; nil for where the test is.
	In   func(func() error) error
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (s Setup) start(cmd *exec.Cmd) error {
	if s.In == nil {
		return cmd.Start()
	}
	return s.In(cmd.Start)
}

// Node is a wsnode process.
type Node struct {
	Listen string       // host:port
	Admin  string       // http://host:port
	Cmd    *exec.Cmd    // of the process that runs, or ran last
	Exited chan error   // how it ended
	HTTP   *http.Client // for Admin

	t     *testing.T
	setup Setup
	args  []string
}

// Start runs wsnode until the test ends, and returns once it is ready.
func Start(t *testing.T, args ...string) *Node {
	t.Helper()
	return Setup{}.Start(t, args...)
}

// Start runs wsnode until the test ends, and returns once it is ready.
func (s Setup) Start(t *testing.T, args ...string) *Node {
	t.Helper()
	n := &Node{t: t, setup: s, args: args, Listen: tcptest.FreeAddr(t), Exited: make(chan error, 1)}
	n.Admin = "http://" + tcptest.FreeAddr(t)
	n.HTTP = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: s.Dial}}
	n.Restart()
	return n
}

// Restart runs wsnode again, where it ran before. That must have ended.
func (n *Node) Restart() {
	n.t.Helper()
	argv := append(append([]string{}, n.setup.Wrap...), Program("wsnode"), "-listen", n.Listen, "-admin", n.Admin[len("http://"):], "-log-level", "warn")
	argv = append(argv, n.args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	require.NoError(n.t, n.setup.start(cmd))
	n.Cmd = cmd
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Exited <- cmd.Wait()
	}()
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		select { // the test may not have asked how an earlier process ended
		case <-n.Exited:
		default:
		}
		<-ended
		n.HTTP.CloseIdleConnections()
	})
	require.Eventually(n.t, n.Ready, 10*time.Second, 20*time.Millisecond, "wsnode is not ready")
}

// URL is where clients connect to.
func (n *Node) URL() string { return "ws://" + n.Listen + "/" }

// PublishURL is where messages for a channel are posted to.
func (n *Node) PublishURL(channel string) string { return n.Admin + "/publish?channel=" + channel }

// Ready is what /readyz says; false if it does not answer.
func (n *Node) Ready() bool { return n.Status("/readyz") == http.StatusOK }

// Status is the HTTP status of a page of the admin address, 0 if there is no answer.
func (n *Node) Status(path string) int {
	resp, err := n.HTTP.Get(n.Admin + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
