package report

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func readReport(t *testing.T, name string) *Report {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var r Report
	require.NoError(t, json.Unmarshal(b, &r))
	return &r
}

func TestComparison(t *testing.T) {
	var got bytes.Buffer
	require.NoError(t, WriteComparison(&got, "a.json", readReport(t, "a.json"), "b.json", readReport(t, "b.json")))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile("testdata/compare.txt", got.Bytes(), 0o644))
	}
	want, err := os.ReadFile("testdata/compare.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}
