package machine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// key is a parameter that a test may change for a moment: it does nothing but size a queue of events.
const key = "fs.inotify.max_queued_events"

func TestParametersAreRecordedOnceAndPutBack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("kernel parameters need root: run the tests with sudo")
	}
	before, err := read(key)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.WriteFile(file(key), []byte(before), 0o644)) })

	r := Record{Path: filepath.Join(t.TempDir(), "sysctl.json")}
	require.NoError(t, r.Restore(), "no record, nothing to do")
	require.NoError(t, r.Take())
	require.NoError(t, os.WriteFile(file(key), []byte("20001"), 0o644))
	require.Contains(t, r.Differing(), key)
	// A second lab after a crash must not take the changed value for the machine's own.
	require.NoError(t, r.Take())
	require.NoError(t, r.Restore())
	after, err := read(key)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.NoFileExists(t, r.Path)
}

func TestARecordThatIsDamagedIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sysctl.json")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	require.ErrorContains(t, Record{Path: path}.Restore(), path)
}

func TestADerivedZeroIsNotPutBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sysctl.json")
	require.NoError(t, proc.Save(path, map[string]string{"vm.dirty_bytes": "0", "kernel.no_such_parameter": "1"}))
	require.Empty(t, Record{Path: path}.Differing())
}

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	if os.Geteuid() != 0 {
		require.ErrorContains(t, Check(), "run it as root")
		return
	}
	t.Setenv("PATH", t.TempDir())
	err := Check()
	require.ErrorContains(t, err, "systemd-nspawn is missing; get it with: apt-get install systemd-container")
	require.ErrorContains(t, err, "debootstrap is missing; get it with: apt-get install debootstrap")
	require.ErrorContains(t, err, "ssh is missing; get it with: apt-get install openssh-client")
}
