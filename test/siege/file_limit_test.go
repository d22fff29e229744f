//go:build linux

package siege

import (
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/nodetest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// filesWrap runs a command with an open-file limit, hard and soft.
func filesWrap(limit int) []string {
	return []string{"sh", "-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(limit)}
}

// Clients beyond what the open-file limit allows are turned away, also those who do not
// say a word; nobody else notices.
func TestFileLimit(t *testing.T) {
	limit := size(10000)
	n := startNode(t, filesWrap(limit))
	capacity := int(n.Metric("wsnode_capacity_connections"))
	require.Less(t, capacity, limit)
	record(t, "open-file limit", "%d, which makes a capacity of %d connections", limit, capacity)

	c := newCrowd(t, n.Listen)
	c.connect(capacity*9/10, 64)
	require.Equal(t, http.StatusOK, n.Status("/readyz"))
	c.connect(capacity-len(c.members), 16)
	c.fine()
	require.Empty(t, c.refusals)
	require.EqualValues(t, capacity, c.open.Load())
	require.Equal(t, http.StatusServiceUnavailable, n.Status("/readyz"), "full, and nobody refused yet")

	storm := size(8000)
	c.connect(storm, 256)
	c.wantRefused(storm)
	c.fine()
	mute(t, n.Listen, size(5000))
	rejected := n.Reasons("wsnode_handshakes_rejected_total")
	record(t, "open-file limit: refused", "%d clients in a storm, and %d who sent no handshake", storm, rejected["capacity"]-storm)
	c.echo(128, 64)
	require.Zero(t, n.Metric("wsnode_accept_errors_total"))
	require.Empty(t, n.Reasons("wsnode_closed_total"))

	c.leave()
	require.Eventually(t, func() bool { return n.Status("/readyz") == http.StatusOK }, 30*time.Second, 10*time.Millisecond)
	c.connect(capacity/2, 64)
	c.echo(128, 64)
	require.EqualValues(t, capacity/2, c.open.Load())
}

func TestMoreConnectionsThanFilesIsAnErrorAtTheStart(t *testing.T) {
	argv := append(filesWrap(1000), nodetest.Program("wsnode"), "-max-connections", "1000", "-listen", tcptest.FreeAddr(t), "-admin", tcptest.FreeAddr(t))
	out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
	status := new(exec.ExitError)
	require.ErrorAs(t, err, &status, "%s", out)
	require.Equal(t, 1, status.ExitCode(), "%s", out)
	require.Contains(t, string(out), "-max-connections 1000: the open-file limit 1000 allows 800;")
}
