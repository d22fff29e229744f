package sizing

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the model says into docs/sizing.md")

// generated is a part of the page, between the comment with the command's flags and the next comment.
var generated = regexp.MustCompile(`(?s)(<!-- make size: (.*?) -->\n)(.*?)(<!-- end -->)`)

// What the page shows is what the command writes: go test ./test/sizing -update mends it.
func TestPageIsWhatTheModelSays(t *testing.T) {
	file := filepath.Join(root, "docs/sizing.md")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	parts := 0
	made := generated.ReplaceAllStringFunc(string(text), func(part string) string {
		parts++
		m := generated.FindStringSubmatch(part)
		var out strings.Builder
		require.NoError(t, Command(strings.Fields(m[2]), &out), m[2])
		body := out.String()
		if !strings.HasPrefix(body, "| figure") {
			body = "```\n" + strings.TrimSpace(body) + "\n```\n"
		}
		return m[1] + body + m[4]
	})
	require.GreaterOrEqual(t, parts, 4, "the page has lost its generated parts")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(made), 0o644))
		return
	}
	require.Equal(t, made, string(text), "docs/sizing.md is stale: go test ./test/sizing -update")
}
