package terraform

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	block          = regexp.MustCompile(`(?ms)^(variable|data|resource|output|check) ("[^{]*") \{\n(.*?)^\}`)
	rule           = regexp.MustCompile(`(?m)^\s*(validation|precondition|postcondition|assert) \{`)
	runBlock       = regexp.MustCompile(`(?ms)^run "[^"]+" \{\n(.*?)^\}`)
	expectFailures = regexp.MustCompile(`(?s)expect_failures = \[(.*?)\]`)
)

// folders are the modules and the root.
func folders(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("modules/*")
	require.NoError(t, err)
	return append(dirs, "cluster")
}

// read returns the files of a folder, one after the other.
func read(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String()
}

// address is how expect_failures names a block: var.name, data.type.name, type.name, check.name.
func address(kind, labels string) string {
	names := strings.ReplaceAll(strings.ReplaceAll(labels, `" "`, "."), `"`, "")
	switch kind {
	case "variable":
		return "var." + names
	case "resource":
		return names
	}
	return kind + "." + names
}

// Every rule refuses something in a test: a variable with three rules is expected to fail in three runs at least.
func TestEveryRuleIsSeenToRefuse(t *testing.T) {
	for _, dir := range folders(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			expected := map[string]int{}
			for _, run := range runBlock.FindAllStringSubmatch(read(t, dir+"/tests/*.tftest.hcl"), -1) {
				if list := expectFailures.FindStringSubmatch(run[1]); list != nil {
					for name := range strings.FieldsFuncSeq(list[1], func(r rune) bool { return strings.ContainsRune(", \n", r) }) {
						expected[name]++
					}
				}
			}
			for _, b := range block.FindAllStringSubmatch(read(t, dir+"/*.tf"), -1) {
				name, rules := address(b[1], b[2]), len(rule.FindAllString(b[3], -1))
				require.GreaterOrEqual(t, expected[name], rules, "%s: %s has %d rules, and fewer runs of its tests expect it to fail", dir, name, rules)
				delete(expected, name)
			}
			require.Empty(t, expected, "%s: expected to fail, and not there", dir)
		})
	}
}

// Every variable says its type and what it is for, and every output too; a variable that takes null says so by its default.
func TestEveryVariableIsDescribed(t *testing.T) {
	for _, dir := range folders(t) {
		blocks := block.FindAllStringSubmatch(read(t, dir+"/*.tf"), -1)
		require.NotEmpty(t, blocks, dir)
		for _, b := range blocks {
			where := dir + ": " + address(b[1], b[2])
			if b[1] != "variable" && b[1] != "output" {
				continue
			}
			require.Regexp(t, `(?m)^  description = "[A-Z0-9].*\."$`, b[3], where)
			if b[1] == "variable" {
				require.Regexp(t, `(?m)^  type +=`, b[3], where)
				require.Regexp(t, `(?m)^  (nullable +=|default +=) (false|null)$`, b[3], where)
			}
		}
	}
}

// A message says what would be right, and what was given instead.
func TestEveryRuleNamesWhatItGot(t *testing.T) {
	message := regexp.MustCompile(`(?m)^\s*error_message = "(.*)"$`)
	for _, dir := range folders(t) {
		for _, b := range block.FindAllStringSubmatch(read(t, dir+"/*.tf"), -1) {
			if b[1] != "variable" {
				continue
			}
			for _, m := range message.FindAllStringSubmatch(b[3], -1) {
				require.Contains(t, m[1], strings.Trim(b[2], `"`), "%s: the message does not name the variable", dir)
				require.Regexp(t, `got |is \$\{`, m[1], "%s: the message does not tell the value", dir)
			}
		}
	}
}
