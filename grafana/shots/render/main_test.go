package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// prometheus answers every query with the number 7, and those of "nothing" with no sample. What a real one does with
// dashboards is tested beside the library.
func prometheus(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		samples := []any{}
		if r.FormValue("query") != "nothing" {
			samples = append(samples, map[string]any{"metric": map[string]string{}, "values": []any{[]any{json.Number(r.FormValue("end")), "7"}}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": samples}})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func dashboard(t *testing.T, expr string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"title": "d", "panels": [{"title": "p", "type": "stat", "gridPos": {"w": 4, "h": 4},
		"targets": [{"refId": "A", "expr": "`+expr+`"}]}]}`), 0o600))
	return path
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "pictures")
	var said bytes.Buffer
	args := []string{"-prometheus", prometheus(t), "-out", out, "-width", "800"}
	require.NoError(t, run(t.Context(), append(args, dashboard(t, "seven")), &said))
	name := filepath.Join(out, "small")
	assert.Equal(t, name+".html, "+name+".png: 1 panels, 1 queries, 0 without data\n", said.String())
	page, err := os.ReadFile(name + ".html")
	require.NoError(t, err)
	assert.Contains(t, string(page), ">7</text>")
	picture, err := os.ReadFile(name + ".png")
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(picture, []byte("\x89PNG")))
}

func TestRunNamesEmptyPanels(t *testing.T) {
	out := t.TempDir()
	path := dashboard(t, "nothing")
	args := []string{"-prometheus", prometheus(t), "-out", out, "-png=false"}
	err := run(t.Context(), append(args, path), new(bytes.Buffer))
	require.EqualError(t, err, path+`: no data in the panels ["p"] (-allow-empty lets them pass)`)
	assert.FileExists(t, filepath.Join(out, "small.html"), "it shows what is empty")
	assert.NoFileExists(t, filepath.Join(out, "small.png"))
	require.NoError(t, run(t.Context(), append(args, "-allow-empty", path), new(bytes.Buffer)))
}

func TestRunRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"-prometheus is missing":          {"a.json"},
		"no dashboard":                    {"-prometheus", "http://localhost:9"},
		`-last -1m0s: want more than 0`:   {"-prometheus", "http://localhost:9", "-last", "-1m", "a.json"},
		`-end "noon": want a time`:        {"-prometheus", "http://localhost:9", "-end", "noon", "a.json"},
		"want name=value":                 {"-prometheus", "http://localhost:9", "-var", "node", "a.json"},
		`-prometheus "::": `:              {"-prometheus", "::", "a.json"},
		"none.json: open none.json: no s": {"-prometheus", "http://localhost:9", "none.json"},
	} {
		err := run(t.Context(), append([]string{"-out", t.TempDir()}, args...), new(bytes.Buffer))
		require.ErrorContains(t, err, want)
	}
}
