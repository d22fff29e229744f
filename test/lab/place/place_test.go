package place

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLabsDoNotMeet(t *testing.T) {
	first, err := New(DefaultName, "/a")
	require.NoError(t, err)
	second, err := New("t1", "/a")
	require.NoError(t, err)
	require.NotEqual(t, first.Run, second.Run)
	require.NotEqual(t, first.State, second.State)
	require.NotEqual(t, first.Unit(), second.Unit())
	// One prefix must not begin the other: sweeping goes by the prefix and a dash.
	require.NotEqual(t, first.Prefix, second.Prefix)
	require.Equal(t, "wsf-i-0abc", first.Namespace("i-0abc"))
}

func TestABadNameIsNamed(t *testing.T) {
	for _, name := range []string{"", "a", "toolong", "1lab", "La", "a/b", "../x"} {
		_, err := New(name, "/a")
		require.ErrorContains(t, err, `lab name "`+name+`"`)
	}
}

func TestTheProjectIsFoundFromBelow(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "test", "lab")
	require.NoError(t, os.MkdirAll(below, 0o755))
	_, err := FindProject(below)
	require.ErrorContains(t, err, "not inside a clone of wsfleet")

	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module github.com/wsfleet/wsfleet\n\ngo 1.26\n"), 0o644))
	found, err := FindProject(below)
	require.NoError(t, err)
	require.Equal(t, root, found)
}
