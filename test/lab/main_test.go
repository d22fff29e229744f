package main

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
)

func TestBadInputIsNamed(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"command":          {[]string{"start"}, `unknown command "start"; see lab -h`},
		"argument":         {[]string{"up", "now"}, `up: unexpected argument "now"`},
		"name":             {[]string{"-name", "My Lab", "status"}, `lab name "My Lab": want 2 to 4`},
		"project":          {[]string{"-project", dir + "/none", "status"}, `-project "` + dir + `/none" is not a folder`},
		"port":             {[]string{"status", "-port", "70000"}, ""},
		"wait for what":    {[]string{"-project", dir, "-name", "t0", "wait", "-n", "-1"}, "-n -1: want 0 or more"},
		"wait how long":    {[]string{"-project", dir, "-name", "t0", "wait", "-timeout", "0s"}, "-timeout 0s: want more than 0"},
		"ssh where":        {[]string{"-project", dir, "-name", "t0", "ssh"}, "ssh: which host?"},
		"status when down": {[]string{"-project", dir, "-name", "t0", "status"}, "the lab is not up"},
		"env when down":    {[]string{"-project", dir, "-name", "t0", "env"}, "the lab is not up"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), test.args, &out, &out)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, out.String(), "the error says it all")
		})
	}
}

func TestAnUnknownFlagIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"wait", "-forever"}, &out, &out)
	require.Equal(t, exitStatus(2), err)
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("flag provided but not defined: -forever")))
}

func TestTheHelpNamesEveryCommandButTheHidden(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, exitStatus(2), run(t.Context(), nil, &out, &out))
	for _, c := range commands() {
		if c.help != "" {
			require.Contains(t, out.String(), "  "+c.name+" ")
		}
	}
	require.NotContains(t, out.String(), daemon.Command)
}

func hosts() []ec2sync.Status {
	h := func(id, role, address string) ec2sync.Status {
		return ec2sync.Status{Instance: id, Role: role, Address: netip.MustParseAddr(address)}
	}
	return []ec2sync.Status{
		h("i-e", "edge", "10.80.1.4"), h("i-n0", "node", "10.80.1.9"), h("i-n1", "node", "10.80.1.10"), h("i-m", "web-1", "10.80.1.11"),
	}
}

func TestAHostIsFoundByIdAddressAndRole(t *testing.T) {
	for name, want := range map[string]string{
		"i-n1": "i-n1", "10.80.1.10": "i-n1", "node-0": "i-n0", "node-1": "i-n1", "edge": "i-e", "edge-0": "i-e", "web-1-0": "i-m",
	} {
		got, err := find(hosts(), name)
		require.NoError(t, err, name)
		require.Equal(t, want, got.Instance, name)
	}
	for name, want := range map[string]string{
		"node":    "2 hosts have the role node: say node-0 to node-1",
		"node-2":  `no host "node-2" among the 4 of the lab`,
		"node--1": "no host",
		"redis":   `no host "redis"`,
	} {
		_, err := find(hosts(), name)
		require.ErrorContains(t, err, want, name)
	}
}

func TestTheStatusTable(t *testing.T) {
	var out bytes.Buffer
	h := hosts()[:2]
	h[0].State, h[0].BootSeconds, h[0].Usage = ec2sync.Running, 0.42, host.Usage{Processes: 5, Memory: 8 << 20}
	h[1].State, h[1].Note = ec2sync.Dead, "the host was shut down from inside"
	require.NoError(t, printReport(&out, daemon.Report{
		Hosts: h, API: "http://127.0.0.1:5000", Started: time.Now(), Project: "/src/wsfleet", Problem: "connection refused",
	}))
	text := out.String()
	require.Regexp(t, `i-e +edge +- +10\.80\.1\.4 +running +0\.4 s +8\.0 MiB +5`, text)
	require.Regexp(t, `i-n0 +node +- +10\.80\.1\.9 +dead +- +0\.0 MiB +0 +the host was shut down from inside`, text)
	require.Contains(t, text, "2 hosts, 8.0 MiB")
	require.Contains(t, text, "PROBLEM  cannot read the instances: connection refused")
}

// A daemon that was killed leaves its record and its socket.
func TestADeadDaemonIsDown(t *testing.T) {
	p, err := place.New("t0", t.TempDir())
	require.NoError(t, err)
	p.Run = t.TempDir()
	require.NoError(t, proc.Save(daemon.RecordFile(p), daemon.Record{Daemon: proc.Identity{PID: 1, Start: 1}, Project: p.Project}))
	require.NoError(t, os.WriteFile(p.Socket(), nil, 0o600))
	_, err = daemon.Ask(t.Context(), p)
	require.ErrorIs(t, err, daemon.ErrDown)

	require.NoError(t, os.WriteFile(filepath.Join(p.Run, "failed"), []byte("moto's server exited: signal: killed\n"), 0o644))
	_, err = daemon.Ask(t.Context(), p)
	require.EqualError(t, err, "the lab is not up: it ended: moto's server exited: signal: killed")
}
