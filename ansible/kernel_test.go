package ansible_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// sysctlApply runs the module in a network namespace of its own, twice, and returns both results and what the
// namespace then has for the keys.
func sysctlApply(t *testing.T, args edgetest.Vars, keys ...string) (first, second map[string]any, after []string) {
	t.Helper()
	edgetest.Program(t, "unshare", "util-linux")
	input, err := json.Marshal(edgetest.Vars{"ANSIBLE_MODULE_ARGS": args})
	require.NoError(t, err)
	script := `printf %s "$1" | /usr/bin/python3 "$2"; echo; printf %s "$1" | /usr/bin/python3 "$2"; echo; shift 2; for key; do sysctl -n "$key"; done`
	isolate := []string{"--net"}
	if os.Getuid() != 0 {
		isolate = []string{"--net", "--user", "--map-root-user"}
	}
	cmd := exec.Command("unshare", append(isolate, append([]string{"sh", "-c", script, "sh", string(input), edgetest.Dir("library", "sysctl_apply.py")}, keys...)...)...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	lines := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	require.Len(t, lines, 2+len(keys), string(out))
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first), lines[0])
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &second), lines[1])
	for _, line := range lines[2:] {
		after = append(after, strings.Join(strings.Fields(line), " "))
	}
	return first, second, after
}

func TestKernelParametersAreAppliedOnce(t *testing.T) {
	first, second, after := sysctlApply(t, edgetest.Vars{"settings": edgetest.Vars{
		"net.core.somaxconn":           "65535",
		"net.ipv4.ip_local_port_range": "1024 65535",
	}}, "net.core.somaxconn", "net.ipv4.ip_local_port_range")
	assert.Equal(t, true, first["changed"])
	assert.Equal(t, false, second["changed"])
	assert.Equal(t, []string{"65535", "1024 65535"}, after)
}

func TestKernelReportsWhatTheHostDoesNotTake(t *testing.T) {
	first, _, after := sysctlApply(t, edgetest.Vars{"settings": edgetest.Vars{
		"net.ipv4.tcp_tw_reuse":   "9", // the kernel takes 0 to 2
		"net.ipv4.no_such_thing":  "1",
		"net.ipv4.tcp_syncookies": "1",
	}}, "net.ipv4.tcp_tw_reuse")
	refused := first["refused"].(map[string]any)["net.ipv4.tcp_tw_reuse"].(map[string]any)
	assert.Equal(t, "9", refused["wanted"])
	assert.Equal(t, after[0], refused["actual"])
	assert.Equal(t, "Invalid argument", refused["error"])
	assert.Equal(t, []any{"net.ipv4.no_such_thing"}, first["unknown"])
}

func TestKernelFailsWhenStrict(t *testing.T) {
	first, _, _ := sysctlApply(t, edgetest.Vars{"strict": true, "settings": edgetest.Vars{"net.ipv4.no_such_thing": "1"}})
	assert.Equal(t, true, first["failed"])
	assert.Contains(t, first["msg"], "does not know net.ipv4.no_such_thing")
}

func TestKernelLeavesTheMachinesParametersAlone(t *testing.T) {
	read := func() string {
		text, err := os.ReadFile("/proc/sys/fs/nr_open")
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	before := read()
	wanted := fmt.Sprint("1", before) // ten times as much
	first, _, _ := sysctlApply(t, edgetest.Vars{
		"machine_wide": []string{"fs.nr_open", "net.ipv4.tcp_mem"},
		"settings":     edgetest.Vars{"fs.nr_open": wanted, "net.ipv4.tcp_mem": "1 2 3"},
	})
	assert.Equal(t, before, read())
	assert.Equal(t, false, first["changed"])
	held := first["held"].(map[string]any)
	assert.Equal(t, map[string]any{"actual": before, "wanted": wanted}, held["fs.nr_open"])
	assert.Nil(t, held["net.ipv4.tcp_mem"].(map[string]any)["actual"], "not visible in a namespace")
}

func TestKernelOnlyRaises(t *testing.T) {
	first, _, after := sysctlApply(t, edgetest.Vars{
		"only_raise": []string{"net.ipv4.tcp_max_syn_backlog"},
		"settings":   edgetest.Vars{"net.ipv4.tcp_max_syn_backlog": "2"},
	}, "net.ipv4.tcp_max_syn_backlog")
	assert.Equal(t, false, first["changed"])
	assert.NotEqual(t, "2", after[0])
}
