package sweep

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/place"
)

// A program run from the lab's Terraform folder is ended, one beside it is not.
func TestToolsOfTheLabAreEnded(t *testing.T) {
	p, err := place.New("tl", t.TempDir())
	require.NoError(t, err)
	start := func(dir string) *exec.Cmd {
		require.NoError(t, os.MkdirAll(dir, 0o755))
		program := filepath.Join(dir, "provider")
		sleep, err := exec.LookPath("sleep")
		require.NoError(t, err)
		require.NoError(t, os.Symlink(sleep, program))
		cmd := exec.Command(program, "60")
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	ours := start(filepath.Join(p.Lab(), "terraform", "providers"))
	other := start(filepath.Join(p.Project, "terraform"))
	ended := make(chan error, 1)
	go func() { ended <- ours.Wait() }()

	require.Len(t, tools(p), 1)
	require.NoError(t, stopTools(p))
	require.Error(t, <-ended, "ended by a signal")
	require.Empty(t, tools(p))
	require.NoError(t, other.Process.Kill(), "still there")
	_ = other.Wait()
}
