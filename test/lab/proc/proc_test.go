package proc

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start starts a shell that runs the script, and collects it when it ends.
func start(t *testing.T, script string) Identity {
	cmd := exec.Command("sh", "-c", script)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() { _ = cmd.Wait() }()
	id, err := Of(cmd.Process.Pid)
	require.NoError(t, err)
	require.True(t, id.Alive())
	return id
}

func TestStopEndsAProcess(t *testing.T) {
	id := start(t, "exec sleep 60")
	require.NoError(t, id.Stop(5*time.Second))
	require.False(t, id.Alive())
	require.NoError(t, id.Stop(5*time.Second), "stopping what is gone is no error")
}

func TestStopEndsAProcessThatIgnoresTheRequest(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	id := start(t, `trap "" TERM; : >`+ready+`; while :; do sleep 1; done`)
	require.Eventually(t, func() bool { _, err := os.Stat(ready); return err == nil }, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, id.Stop(200*time.Millisecond))
	require.False(t, id.Alive())
}

func TestAPidThatWasUsedAgainIsAnotherProcess(t *testing.T) {
	id := start(t, "exec sleep 60")
	before := Identity{PID: id.PID, Start: id.Start - 1}
	require.False(t, before.Alive())
	require.NoError(t, before.Stop(time.Second))
	require.True(t, id.Alive(), "the process that has the pid now must live on")
}

func TestStartTimeOfACommandWithSpacesAndBrackets(t *testing.T) {
	start, err := startTime([]byte("7 (a) b (c)) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n"))
	require.NoError(t, err)
	require.Equal(t, uint64(4242), start)
	_, err = startTime([]byte("nonsense"))
	require.Error(t, err)
}

func TestLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	shared, err := Share(path)
	require.NoError(t, err)
	again, err := Share(path)
	require.NoError(t, err)
	_, err = Lock(path)
	require.ErrorIs(t, err, ErrLocked)
	shared.Close()
	again.Close()
	own, err := Lock(path)
	require.NoError(t, err)
	defer own.Close()
	_, err = Share(path)
	require.ErrorIs(t, err, ErrLocked)
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "id.json")
	require.NoError(t, Save(path, Identity{PID: 3, Start: 4}))
	var got Identity
	require.NoError(t, Load(path, &got))
	require.Equal(t, Identity{PID: 3, Start: 4}, got)
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	require.ErrorContains(t, Load(path, &got), path)
}
