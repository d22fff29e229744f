//go:build linux

package siege

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	full    = flag.Bool("full", false, "attack at full size")
	outFile = flag.String("out", "", "write the figures to this `file`")
)

// bin is where wsnode and wsload were built to.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wsfleet-siege-")
	if err == nil {
		defer os.RemoveAll(dir)
		bin = dir
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "siege:", err)
		return 1
	}
	status := m.Run()
	if status == 0 && *outFile != "" {
		if err := figures.write(*outFile); err != nil {
			fmt.Fprintln(os.Stderr, "siege:", err)
			return 1
		}
	}
	return status
}

func build(dir string) error {
	for name, pkg := range map[string]string{"wsnode": "server", "wsload": "loadtest"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), "github.com/wsfleet/wsfleet/"+pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// size is n at full size, a tenth of it otherwise.
func size(n int) int {
	if *full {
		return n
	}
	return n / 10
}
