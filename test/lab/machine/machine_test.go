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

func TestParametersArePutBackByTheLastLab(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("kernel parameters need root: run the tests with sudo")
	}
	before, err := read(key)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.WriteFile(file(key), []byte(before), 0o644)) })

	dir := filepath.Join(t.TempDir(), "kernel")
	here := map[string]bool{"one": true, "two": true}
	record := func(lab string) Record {
		return Record{Dir: dir, Lab: lab, Here: func(lab string) bool { return here[lab] }}
	}
	one, two, killed := record("one"), record("two"), record("kill")
	value := func() string {
		now, err := read(key)
		require.NoError(t, err)
		return now
	}
	require.NoError(t, one.Restore(), "no record, nothing to do")
	require.NoDirExists(t, dir)
	require.NoError(t, killed.Take())
	require.NoError(t, os.WriteFile(file(key), []byte("20001"), 0o644))
	require.Contains(t, one.Differing(), key)

	// Neither a second lab nor one after a crash must take the changed value for the machine's own.
	require.NoError(t, one.Take())
	require.NoError(t, two.Take())
	require.NoError(t, one.Restore())
	require.False(t, one.Left())
	require.True(t, two.Left())
	require.Equal(t, "20001", value(), "the second lab still needs it")
	require.NoError(t, two.Restore())
	require.Equal(t, before, value(), "the killed lab is gone and does not count")
	require.NoDirExists(t, dir)
}

func TestARecordThatIsDamagedIsNamed(t *testing.T) {
	r := Record{Dir: t.TempDir(), Lab: "one"}
	require.NoError(t, os.WriteFile(r.values(), []byte("{"), 0o644))
	require.ErrorContains(t, r.Restore(), r.values())
}

func TestADerivedZeroIsNotPutBack(t *testing.T) {
	r := Record{Dir: t.TempDir(), Lab: "one"}
	require.NoError(t, proc.Save(r.values(), map[string]string{"vm.dirty_bytes": "0", "kernel.no_such_parameter": "1"}))
	require.Empty(t, r.Differing())
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
