package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// killDelay is how long a program that was told to end may take for it.
const killDelay = 20 * time.Second

// exec runs a program with the lab's environment, its output to out. When ctx ends
// it is interrupted, as from the keyboard, and killed only if that does not help.
// The error carries the end of what it printed.
func (f *Fleet) exec(ctx context.Context, out io.Writer, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = f.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = killDelay
	// Its own group: Ctrl-C reaches it once, through Cancel.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	tail := &tailWriter{}
	cmd.Stdout = io.MultiWriter(out, tail)
	cmd.Stderr = tail
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if exit := new(exec.ExitError); errors.As(err, &exit) && tail.String() != "" {
			return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, tail)
		}
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}

// tailWriter keeps the end of what was written.
type tailWriter struct{ b []byte }

const tailBytes = 4 << 10

func (t *tailWriter) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailBytes {
		t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tailWriter) String() string { return strings.TrimSpace(string(t.b)) }
