//go:build linux

package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/test/lab/network"
)

// The hosts of these tests are network namespaces with addresses of their own. The
// leader is on the machine itself.
const hostPrefix = "xload"

var hostNetwork = network.VPC{ID: "vpc-0000load", CIDR: netip.MustParsePrefix("10.95.0.0/16")}

// newNetwork returns a function that adds hosts and tells their namespace and
// address.
func newNetwork(t *testing.T) (addHost func() (namespace, address string)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root: run the tests with sudo")
	}
	oneAtATime(t)
	require.NoError(t, network.Sweep(hostPrefix), "what an interrupted test left")
	s, err := network.NewSwitch(hostPrefix+"-switch", hostPrefix)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, network.Sweep(hostPrefix))
	})
	hosts := 0
	return func() (string, string) {
		hosts++
		h := network.Host{
			Instance: fmt.Sprintf("i-load%d", hosts), Namespace: fmt.Sprintf("%s-%d", hostPrefix, hosts), VPC: hostNetwork,
			MAC:     net.HardwareAddr{2, 0, 0, 0, 95, byte(hosts)},
			Address: netip.AddrFrom4([4]byte{10, 95, byte(hosts), 4}),
		}
		require.NoError(t, s.AddHost(h))
		return h.Namespace, h.Address.String()
	}
}

// oneAtATime keeps out another run of the test: names and addresses are the
// machine's. The lock goes with the process at the latest.
func oneAtATime(t *testing.T) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), hostPrefix+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { lock.Close() })
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
}

// on returns a command on a host. The process that starts is the command itself.
func on(namespace, program string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=" + network.NamespacePath(namespace), program}, args...)...)
}

// change runs f with the interface of a host.
func change(t *testing.T, namespace string, f func(inside *netlink.Handle, eth netlink.Link) error) {
	t.Helper()
	ns, err := netns.GetFromName(namespace)
	require.NoError(t, err)
	defer ns.Close()
	inside, err := netlink.NewHandleAt(ns)
	require.NoError(t, err)
	defer inside.Close()
	eth, err := inside.LinkByName(network.Interface)
	require.NoError(t, err)
	require.NoError(t, f(inside, eth))
}

// The node and each agent have a host of their own. First all goes well; then of
// four agents one dies, one's cable is cut, and what a third one sends gets lost.
func TestAgentsOnHostsOfTheirOwn(t *testing.T) {
	addHost := newNetwork(t)
	require.NoError(t, buildNode())
	namespace, address := addHost()
	n := runNode(t, on(namespace, nodeBinary, "-listen", address+":8765", "-admin", address+":8766"))
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("open sesame\n"), 0o600))
	exe, err := os.Executable()
	require.NoError(t, err)
	var agents []*testAgent
	var namespaces []string
	for range 4 {
		namespace, address := addHost()
		agents = append(agents, runAgent(t, on(namespace, exe, "agent", "-listen", address+":8767", "-token-file", token)))
		namespaces = append(namespaces, namespace)
	}

	t.Run("totals are exact", func(t *testing.T) {
		r := load(t, "-agents", agentList(agents[:3]...), "-agent-token-file", token, "-a", "3000", "-c", "3000", "-w", "2",
			"-broadcasts", "3", "-broadcast-rate", "10", "-publish", n.publish, n.url)
		require.Zero(t, r.status, r.output())
		got := r.report
		require.EqualValues(t, 3000, got.Connected)
		require.Equal(t, report.EchoCounts{Sent: 3000, OK: 3000}, got.Echo.EchoCounts)
		require.Equal(t, report.BroadcastCounts{Listeners: 3000, Expected: 9000, Delivered: 9000, AheadOfTime: got.Broadcast.AheadOfTime},
			got.Broadcast.BroadcastCounts)
		require.EqualValues(t, 3000, got.Connect.Count)
		require.EqualValues(t, 9000, got.Broadcast.Count)
		require.Len(t, got.Agents, 3)
	})

	t.Run("a scenario", func(t *testing.T) {
		r := load(t, "run", "-agents", agentList(agents[:3]...), "-agent-token-file", token, "-w", "2", "-publish", n.publish,
			"-expect", "reconnect.p99 >= 0", "-expect", "broadcast.late >= 0", scaledDown(t, "scenarios/storm.yaml"), n.url)
		require.Zero(t, r.status, r.output())
		got := r.report
		require.EqualValues(t, 6, got.Workers)
		require.EqualValues(t, 100, got.Reconnect.Cut)
		require.EqualValues(t, 100, got.Reconnect.OK)
		require.EqualValues(t, 100, got.Held)
		require.EqualValues(t, 200, got.Echo.OK, "once before the storm, once after it")
		require.EqualValues(t, 100*8, got.Broadcast.Expected)
		require.Equal(t, got.Broadcast.Lost, got.Broadcast.MissedAway)
	})

	t.Run("what becomes of them", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "report.json")
		cmd, r := leaderProcess(t, "-agents", agentList(agents...), "-agent-token-file", token, "-a", "400", "-k", "-json", file,
			"-expect", "generator.behind >= 0", n.url)
		r.waitFor(t, "phase: hold connected=400")
		for _, a := range agents {
			a.workers(t, 1)
		}
		killed := agents[0].workers(t, 1)[0]
		require.NoError(t, agents[0].cmd.Process.Kill())
		change(t, namespaces[1], func(inside *netlink.Handle, eth netlink.Link) error { return inside.LinkSetDown(eth) })
		// Half a connection: it hears the leader, and nobody hears it.
		change(t, namespaces[2], func(inside *netlink.Handle, eth netlink.Link) error {
			return inside.NeighSet(&netlink.Neigh{
				LinkIndex: eth.Attrs().Index, State: netlink.NUD_PERMANENT,
				IP: hostNetwork.Machine().AsSlice(), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 95, 99},
			})
		})
		r.waitForError(t, "wsload: agent "+agents[0].address+" is lost: ")
		for _, a := range agents[1:3] {
			r.waitForError(t, "wsload: agent "+a.address+" is lost: no sign of life for 15s; the 100 connections of its 1 worker(s) count as failed\n")
		}
		gone(t, killed)
		for _, a := range agents[1:3] {
			a.workers(t, 0)
		}
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		require.Error(t, cmd.Wait())
		require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), r.output())
		got := r.readReport(t, file)
		require.Equal(t, report.Classes{"agent.lost": 300}, got.Failures)
		require.EqualValues(t, 100, got.Connected)
		require.EqualValues(t, 3, got.AgentsLost)
		require.Empty(t, got.Agents[3].Lost)
		agents[3].workers(t, 0)
	})

	t.Run("a host that is not there", func(t *testing.T) {
		var stdout, stderr buffer
		status := dispatch(t.Context(), []string{"-agents", agentList(agents[3], agents[1]), "-agent-token-file", token, n.url}, &stdout, &stderr)
		require.Equal(t, exitUsage, status)
		require.Regexp(t, `^wsload: agent `+agents[1].address+`: (it can't be reached within 10s|no route to host)\n$`, stderr.String())
	})
}
