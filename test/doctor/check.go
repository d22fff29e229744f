package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/moto"
)

// result is what was found of one prerequisite.
type result struct {
	name, found, note string
	pkg               string
	ok                bool
}

// versionTimeout bounds a program that is asked for its version.
const versionTimeout = 30 * time.Second

func checkAll(list []prerequisite) []result {
	results := make([]result, 0, len(list))
	for _, p := range list {
		results = append(results, check(p))
	}
	return results
}

func check(p prerequisite) result {
	r := result{name: p.name, pkg: p.pkg, note: "for " + p.need}
	howTo := p.fix
	if p.pkg != "" {
		howTo = "apt-get install " + p.pkg
	}
	if _, err := exec.LookPath(p.version[0]); err != nil {
		r.found, r.note = "not found", howTo+" ("+r.note+")"
		return r
	}
	ctx, cancel := context.WithTimeout(context.Background(), versionTimeout)
	defer cancel()
	out, err := askVersion(ctx, p.version)
	r.found = findVersion(out)
	switch {
	case err != nil && versionPattern.FindString(out) == "": // some print it and exit 1
		r.found, r.note = "does not run", fmt.Sprintf("%s (%s)", howTo, r.note)
	case p.min != "" && older(r.found, p.min):
		r.note = fmt.Sprintf("want %s or newer: %s", p.min, howTo)
	default:
		r.ok = true
		if r.found == "" {
			r.found = "found"
		}
	}
	return r
}

func askVersion(ctx context.Context, command []string) (string, error) {
	if command[0] == motoServer {
		inst, err := moto.Find(ctx)
		return inst.Version, err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE=/dev/null", "CHECKPOINT_DISABLE=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var versionPattern = regexp.MustCompile(`\d+(\.\d+)+`)

var soloVersion = regexp.MustCompile(`\b\d{3}\b`)

// findVersion returns the first thing in the first lines that looks like a version.
func findVersion(out string) string {
	if len(out) > 400 {
		out = out[:400]
	}
	if v := versionPattern.FindString(out); v != "" {
		return v
	}
	return soloVersion.FindString(out) // systemd counts in whole numbers
}

// older compares dotted versions number by number.
func older(have, want string) bool {
	h, w := strings.Split(have, "."), strings.Split(want, ".")
	for i := range w {
		var hn, wn int
		if i < len(h) {
			hn, _ = strconv.Atoi(h[i])
		}
		wn, _ = strconv.Atoi(w[i])
		if hn != wn {
			return hn < wn
		}
	}
	return false
}

// minMemoryGiB and minDiskGiB are what `make up` needs beside what others use: nine
// hosts of some 30 MiB, their image, and 10,000 connections at both ends.
const (
	minMemoryGiB = 4
	minDiskGiB   = 4
)

// checkMachine looks at what no package brings.
func checkMachine() []result {
	return []result{
		{name: "Linux", found: runtime.GOOS + "/" + runtime.GOARCH, note: "epoll, network namespaces", ok: runtime.GOOS == "linux"},
		{name: "root", found: fmt.Sprintf("uid %d", os.Getuid()), note: "the lab makes network namespaces and boots hosts: use sudo", ok: os.Getuid() == 0},
		atLeast("memory", availableMemoryGiB(), minMemoryGiB),
		atLeast("disk", freeDiskGiB("/var"), minDiskGiB),
	}
}

func atLeast(name string, have, want float64) result {
	return result{name: name, found: fmt.Sprintf("%.1f GiB free", have), note: fmt.Sprintf("%g GiB for the lab", want), ok: have >= want}
}

func availableMemoryGiB() float64 {
	b, _ := os.ReadFile("/proc/meminfo")
	m := regexp.MustCompile(`MemAvailable:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(m[1]), 64)
	return kib / (1 << 20)
}
