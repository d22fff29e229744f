package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
	"golang.org/x/term"
)

// endTimeout is how long Terraform has to end by itself once it is told to.
const endTimeout = 30 * time.Second

// terraform runs Terraform on the root module.
type terraform struct {
	root string // the clone
	env  []string
}

func (tf terraform) dir() string { return filepath.Join(tf.root, "terraform", "cluster") }

// run runs one command, with its output to out: in colour if that is a terminal.
func (tf terraform) run(ctx context.Context, out io.Writer, args ...string) error {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		args = slices.Insert(args, 1, "-no-color")
	}
	cmd := exec.CommandContext(ctx, "terraform", append([]string{"-chdir=" + tf.dir()}, args...)...)
	cmd.Env = tf.env
	cmd.Stdout = out
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = endTimeout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("terraform %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// show returns a saved plan.
func (tf terraform) show(ctx context.Context, file string) (*tfjson.Plan, error) {
	var out bytes.Buffer
	if err := tf.run(ctx, &out, "show", "-json", file); err != nil {
		return nil, err
	}
	var plan tfjson.Plan
	if err := json.Unmarshal(out.Bytes(), &plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return &plan, nil
}

// scenarios lists the names that there are.
func scenarios(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "terraform/cluster/scenarios/*.tfvars"))
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".tfvars"))
	}
	return names, err
}

// varFile returns the argument for a scenario, or says which ones there are.
func varFile(root, scenario string) (string, error) {
	path := filepath.Join(root, "terraform/cluster/scenarios", scenario+".tfvars")
	if _, err := os.Stat(path); err != nil || filepath.Base(scenario) != scenario {
		names, _ := scenarios(root) // the pattern is a good one
		return "", fmt.Errorf("scenario %q: want one of %s", scenario, strings.Join(names, ", "))
	}
	return "-var-file=" + path, nil
}
