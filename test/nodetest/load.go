//go:build linux

package nodetest

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// Load is a wsload process: well-behaved clients that check what they get.
type Load struct {
	t      *testing.T
	cmd    *exec.Cmd
	file   string
	phases chan string // "ramp", "echo", …; closed at the end of the run
}

// StartLoad starts wsload with these arguments.
func StartLoad(t *testing.T, args ...string) *Load {
	t.Helper()
	return Setup{}.StartLoad(t, args...)
}

// StartScenario starts wsload with a scenario, as a file holds it.
func StartScenario(t *testing.T, scenario string) *Load {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	require.NoError(t, os.WriteFile(file, []byte(scenario), 0o600))
	return Setup{}.load(t, []string{"run"}, file)
}

// StartLoad starts wsload with these arguments.
func (s Setup) StartLoad(t *testing.T, args ...string) *Load {
	t.Helper()
	return s.load(t, nil, args...)
}

func (s Setup) load(t *testing.T, command []string, args ...string) *Load {
	t.Helper()
	l := &Load{t: t, file: filepath.Join(t.TempDir(), "report.json"), phases: make(chan string, 16)}
	l.cmd = exec.Command(Program("wsload"), append(append(command, "-json", l.file), args...)...)
	l.cmd.Stderr = os.Stderr
	out, err := l.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.start(l.cmd))
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = l.cmd.Process.Kill()
		<-ended
		_ = l.cmd.Wait() // an error if Wait was called: fine
	})
	go func() {
		defer close(ended)
		defer close(l.phases)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if phase, ok := strings.CutPrefix(lines.Text(), "phase: "); ok {
				name, _, _ := strings.Cut(phase, " ")
				l.phases <- name
			}
		}
	}()
	return l
}

// Reach waits for a phase of the run to begin.
func (l *Load) Reach(phase string) {
	l.t.Helper()
	for name := range l.phases {
		if name == phase {
			return
		}
	}
	require.Fail(l.t, "wsload ended before its phase "+phase)
}

// Wait waits for the end of the run and returns its report, whatever the run expected.
func (l *Load) Wait() *report.Report {
	l.t.Helper()
	for range l.phases {
	}
	_ = l.cmd.Wait()
	b, err := os.ReadFile(l.file)
	require.NoError(l.t, err, "wsload made no run")
	var r report.Report
	require.NoError(l.t, json.Unmarshal(b, &r))
	return &r
}
