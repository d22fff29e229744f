//go:build linux

package siege

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// load is a wsload process: well-behaved clients that check what they get.
type load struct {
	t      *testing.T
	cmd    *exec.Cmd
	file   string
	phases chan string // "ramp", "echo", …; closed at the end of the run
}

// report is what of wsload's report the tests look at.
type report struct {
	OK               bool
	Connected        int
	Failed           int
	Held             int
	ClosedUnexpected int `json:"closed_unexpected"`
	Closed           map[string]int
	Failures         map[string]int
	Echo             struct {
		OK, Timeout, Corrupted int
		P50, P99, Max          float64 // seconds
	}
	Generator struct{ Behind int }
	Broadcast struct {
		Published, Listeners, Expected, Delivered, Lost, Duplicated, Reordered, Affected int
		P50, P99, Max                                                                    float64
	}
}

// startLoad starts wsload on a target.
func startLoad(t *testing.T, target string, args ...string) *load {
	t.Helper()
	return startLoadIn(t, nil, target, args...)
}

// startLoadIn is startLoad in a network namespace; nil is that of the test.
func startLoadIn(t *testing.T, ns *namespace, target string, args ...string) *load {
	t.Helper()
	l := &load{t: t, file: filepath.Join(t.TempDir(), "report.json"), phases: make(chan string, 16)}
	l.cmd = exec.Command(filepath.Join(bin, "wsload"), append(append([]string{"-json", l.file}, args...), target)...)
	l.cmd.Stderr = os.Stderr
	out, err := l.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, ns.run(l.cmd.Start))
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	go func() {
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

// reach waits for a phase of the run to begin.
func (l *load) reach(phase string) {
	l.t.Helper()
	for name := range l.phases {
		if name == phase {
			return
		}
	}
	require.Fail(l.t, "wsload ended before its phase "+phase)
}

// wait waits for the end of the run and returns its report, whatever the run expected.
func (l *load) wait() report {
	l.t.Helper()
	for range l.phases {
	}
	_ = l.cmd.Wait()
	b, err := os.ReadFile(l.file)
	require.NoError(l.t, err)
	var r report
	require.NoError(l.t, json.Unmarshal(b, &r))
	return r
}
