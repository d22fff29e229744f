//go:build linux

package siege

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Where files run out in spite of the reserve, here because the limit is lowered under
// the running node, clients wait in the kernel and the node waits with them: it tries
// again now and then, and is not busy with that.
func TestOutOfFiles(t *testing.T) {
	const loops, clients, waiting = 2, 500, 50
	over := time.Duration(size(200)) * time.Second / 10
	n := startNode(t, nil, "-loops", strconv.Itoa(loops))
	n.HTTP.CloseIdleConnections()
	c := newCrowd(t, n.Listen)
	c.connect(clients, 64)
	c.fine()
	files := uint64(len(n.files()))
	require.NoError(t, unix.Prlimit(n.Cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}, nil))

	answers := make(chan error, waiting)
	for range waiting {
		conn, err := net.Dial("tcp4", n.Listen)
		require.NoError(t, err)
		defer conn.Close()
		go func() { answers <- shake(conn) }()
	}
	before, start := n.cpu(), time.Now()
	time.Sleep(over)
	used, took := n.cpu()-before, time.Since(start)
	// A file or two may have been of connections to the admin address that were ending.
	require.Less(t, len(answers), waiting/2, "clients are answered without a file to hold them")
	c.echo(128, 64)

	c.leave()
	for range waiting {
		require.NoError(t, <-answers)
	}
	tries := n.Metric("wsnode_accept_errors_total")
	record(t, "out of files: the node", "%.2f s of CPU and %.0f tries to accept in %.1f s, of %d loops", used.Seconds(), tries, took.Seconds(), loops)
	require.Positive(t, tries)
	require.Less(t, tries, 1000*took.Seconds(), "a busy loop") // 20 a second are meant
}

// shake does the handshake on a connection and returns when it is accepted.
func shake(conn net.Conn) error {
	if _, err := conn.Write([]byte(handshake)); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(crowdTimeout))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

// files are the node's open files.
func (n *node) files() []os.DirEntry {
	n.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.Cmd.Process.Pid))
	require.NoError(n.t, err)
	return list
}

// cpu is the processor time that the node has used, in steps of 10 ms.
func (n *node) cpu() time.Duration {
	n.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.Cmd.Process.Pid))
	require.NoError(n.t, err)
	_, rest, _ := strings.Cut(string(b), ") ") // behind the name, the fields from the 3rd on
	fields := strings.Fields(rest)
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		v, err := strconv.Atoi(field)
		require.NoError(n.t, err)
		ticks += v
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
