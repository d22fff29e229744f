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
	wsnode, wsload, talk string // files, here and in the next
	peers, floor         string
	report               string                         // file for the client's report
	loading              int                            // process id of the client that runs
	patience             time.Duration                  // for others to be done, before what failed or was disturbed is tried again
	watch                func() (others func() float64) // see watchMachine
}

// report is what of wsload's report is of use here; times are seconds.
type report struct {
	Pings int64
	Echo  struct{ P50, P99, Max float64 }

	Broadcast struct{ P50, P99, Max float64 }
	Timeline  []struct {
		Phase     string
		Broadcast struct {
			Delivered int64
			P50       float64
		}
	}
}

// load runs wsload against the server under test and calls ended whenever a phase of it
// (ramp, echo, broadcast, hold) is through, and first of all with "".
func (r *runner) load(ctx context.Context, ended func(phase string) error, args ...string) (report, error) {
	args = append(args, "-w", "1", "-close", "abort", "-json", r.report, "ws://"+listenAddr+"/")
	var rep report
	err := r.client(ctx, "wsload", r.wsload, args, ended, &rep)
	return rep, err
}

// client runs a program that loads the server, calls ended whenever a phase of it is
// through (it says when one begins), and reads its report.
func (r *runner) client(ctx context.Context, name, program string, args []string, ended func(phase string) error, rep any) error {
	cmd := exec.CommandContext(ctx, program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
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
		return failed
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, complaints(name, said.String()))
	}
	return readReport(name, r.report, rep)
}

// clientUse returns what the client that runs has used, its children included.
func (r *runner) clientUse() use { return useOf(family(r.loading)...) }

func readReport(name, file string, rep any) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, rep); err != nil {
		return fmt.Errorf("report of %s: %w", name, err)
	}
	return nil
}

// complaints are what a program said about a failure, without its progress.
func complaints(name, said string) string {
	var list []string
	for line := range strings.Lines(said) {
		if text, ok := strings.CutPrefix(line, name+": "); ok {
			list = append(list, strings.TrimSpace(text))
		}
	}
	return strings.Join(list, "; ")
}
