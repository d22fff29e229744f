//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAgentsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("open sesame"), 0o600))
	wrong := filepath.Join(t.TempDir(), "wrong")
	require.NoError(t, os.WriteFile(wrong, []byte("open sesam"), 0o600))
	free, guarded := startAgent(t), startAgent(t, "-token-file", token)
	exe, err := os.Executable()
	require.NoError(t, err)
	newer := exec.Command(exe, "agent", "-listen", "127.0.0.1:0")
	newer.Env = append(os.Environ(), versionVariable+"=v9.9.9")
	other := runAgent(t, newer)
	node := startNode(t) // something else that listens
	stranger := strings.TrimSuffix(strings.TrimPrefix(node.url, "ws://"), "/ws")

	const target = "ws://127.0.0.1:1"
	for want, args := range map[string][]string{
		"agent 127.0.0.1:1: connection refused":                                                          {"-agents", free.address + ",127.0.0.1:1", target},
		"agent 127.0.0.1:1: connection refused; agent 127.0.0.1:2: connection refused":                   {"-agents", "127.0.0.1:1,127.0.0.1:2", target},
		"agent no-such.invalid:8767: lookup no-such.invalid":                                             {"-agents", "no-such.invalid", target},
		"agent " + guarded.address + ": it wants a token (-agent-token-file)":                            {"-agents", guarded.address, target},
		"agent " + guarded.address + ": its token is another one (-agent-token-file)":                    {"-agents", guarded.address, "-agent-token-file", wrong, target},
		"agent " + other.address + ": it is wsload v9.9.9, the leader is dev: they must be the same":     {"-agents", other.address, target},
		"agent " + stranger + `: "HTTP/1.1 400 Bad Request" is no line of wsload`:                        {"-agents", stranger, target},
		"agent " + free.address + ": -source 192.0.2.1: \"192.0.2.1\" is not an address of this machine": {"-agents", free.address, "-source", "192.0.2.1", target},
		"-agents: 127.0.0.1:8767 is there twice":                                                         {"-agents", "127.0.0.1,127.0.0.1:8767", target},
		"are one agent":                                                                                  {"-agents", free.address + "," + strings.Replace(free.address, "127.0.0.1", "localhost", 1), target},
		"-agents: 2 agents for 1 connections: want one for each at least":                                {"-agents", "a,b", "-a", "1", target},
		"-agent-token-file: open /nonexistent: no such file":                                             {"-agents", free.address, "-agent-token-file", "/nonexistent", target},
		"-agent-token-file " + token + ": want -agents too":                                              {"-agent-token-file", token, target},
		`invalid value "a,,b" for flag -agents: "": want host or host:port`:                              {"-agents", "a,,b", target},
		`invalid value "a:b:c" for flag -agents: "a:b:c": want host or`:                                  {"-agents", "a:b:c", target},
	} {
		var stdout, stderr buffer
		require.Equal(t, exitUsage, dispatch(t.Context(), args, &stdout, &stderr), want)
		require.Empty(t, stdout.String(), want)
		require.Contains(t, stderr.String(), want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
	free.workers(t, 0)
}

func TestAgentUsageErrorsAreOneLine(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	taken := ln.Addr().String()
	for want, args := range map[string][]string{
		"flag provided but not defined: -x (wsload agent -help lists the flags)": {"-x"},
		`agent: "extra": want no arguments, only flags`:                          {"extra"},
		`-listen "` + taken + `": address already in use`:                        {"-listen", taken},
		`-listen "nowhere": `: {"-listen", "nowhere"},
		`-listen "0.0.0.0:0": beyond loopback an agent wants -token-file`: {"-listen", "0.0.0.0:0"},
		`-token-file: open /nonexistent: no such file`:                    {"-token-file", "/nonexistent"},
		`-token-file: ` + empty + ` is empty`:                             {"-token-file", empty},
	} {
		var stdout, stderr buffer
		require.Equal(t, exitUsage, agentMain(t.Context(), args, &stdout, &stderr), want)
		require.Empty(t, stdout.String(), want)
		require.Contains(t, stderr.String(), "wsload: "+want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

// Strangers are got rid of, and do not keep leaders out.
func TestAgentAmongStrangers(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	a := startAgent(t)
	for i := range maxStrangers {
		c, err := net.Dial("tcp", a.address)
		require.NoError(t, err)
		defer c.Close()
		if i%2 == 0 { // one that never ends its line
			_, err = fmt.Fprintf(c, `{"version":"%s`, strings.Repeat("9", 2000))
			require.NoError(t, err)
		}
	}
	// The time-out of their greetings makes room for one that waits for it.
	require.Eventually(t, func() bool {
		return dispatch(t.Context(), []string{"-agents", a.address, "-a", "5", n.url}, io.Discard, io.Discard) == exitOK
	}, 40*time.Second, 100*time.Millisecond)
}
