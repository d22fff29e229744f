//go:build linux

// Package nodetest runs real wsnode and wsload processes for tests.
package nodetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bin is where wsnode and wsload were built to.
var bin string

// Program is the path of wsnode or wsload.
func Program(name string) string { return filepath.Join(bin, name) }

// Main is for a package's TestMain: it builds the programs, runs the tests, then after
// if they passed, and returns the status to exit with.
func Main(m *testing.M, after func() error) int {
	dir, err := os.MkdirTemp("", "wsfleet-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		bin = dir
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if status == 0 {
		if err := after(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return status
}

func build() error {
	for name, pkg := range map[string]string{"wsnode": "server", "wsload": "loadtest"} {
		cmd := exec.Command("go", "build", "-o", Program(name), "github.com/wsfleet/wsfleet/"+pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}
