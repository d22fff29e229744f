package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// runner runs the programs.
type runner struct {
	wsnode, wsload string                         // files, here and in the next
	peers, floor   string                         //
	loading        int                            // process id of the wsload that runs
	report         string                         // file for wsload's report
	patience       time.Duration                  // for others to be done, before what failed or was disturbed is tried again
	watch          func() (others func() float64) // see watchMachine
}

// report is what of wsload's report is of use here; times are seconds.
type report struct {
	Pings int64
	Echo  struct{ P50, P99, Max float64 }
}

// load runs wsload against the server under test and calls ended whenever a phase of it
// (ramp, echo, broadcast, hold) is through, and first of all with "".
func (r *runner) load(ctx context.Context, ended func(phase string) error, args ...string) (report, error) {
	args = append(args, "-w", "1", "-close", "abort", "-json", r.report, "ws://"+listenAddr+"/")
	cmd := exec.CommandContext(ctx, r.wsload, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return report{}, err
	}
	if err := cmd.Start(); err != nil {
		return report{}, err
	}
	r.loading = cmd.Process.Pid
	var failed error
	phase := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "phase: ")
		if !ok {
			continue
		}
		if err := ended(phase); err != nil && failed == nil {
			failed = err
			_ = cmd.Process.Kill()
		}
		phase, _, _ = strings.Cut(rest, " ")
	}
	err = cmd.Wait()
	if failed != nil {
		return report{}, failed
	}
	if err != nil {
		return report{}, fmt.Errorf("wsload: %w: %s", err, complaints(said.String()))
	}
	return readReport(r.report)
}

// client returns what the wsload that runs has used, its workers included.
func (r *runner) client() use { return useOf(family(r.loading)...) }

func readReport(file string) (rep report, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return rep, err
	}
	if err := json.Unmarshal(raw, &rep); err != nil {
		return rep, fmt.Errorf("wsload's report: %w", err)
	}
	return rep, nil
}

// complaints are what wsload said about a failure, without the progress before it.
func complaints(said string) string {
	var list []string
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, "wsload: "); ok {
			list = append(list, strings.TrimSpace(text))
		}
	}
	return strings.Join(list, "; ")
}
