// Package edgetest holds every balancer of the fleet to the same behaviour: it renders the configuration as the
// Ansible role does, runs the real balancer on loopback in front of small WebSocket nodes, and looks at what arrives.
package edgetest

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Vars are Ansible variables.
type Vars map[string]any

// Dir is the path of something below the folder ansible/.
func Dir(elem ...string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(filepath.Dir(file))}, elem...)...)
}

// Render writes a role's templates, from source to destination, with the role's defaults and vars on top of them.
// A relative source is looked up in the role's own templates.
func Render(t testing.TB, role string, vars Vars, files map[string]string) {
	t.Helper()
	extra := maps.Clone(vars)
	list := []map[string]string{}
	for src, dest := range files {
		if !filepath.IsAbs(src) {
			src = Dir("roles", role, "templates", src)
		}
		list = append(list, map[string]string{"src": src, "dest": dest})
	}
	defaults, private := Dir("roles", role, "defaults", "main.yml"), Dir("roles", role, "vars", "main.yml")
	if _, err := os.Stat(private); err != nil {
		private = defaults // not every role has private variables, and Ansible wants a file
	}
	extra["render_defaults"], extra["render_private"], extra["render_files"] = defaults, private, list
	Playbook(t, Dir("edgetest", "render.yml"), extra)
}

// Playbook runs a playbook on this machine and returns what Ansible wrote; it must succeed.
func Playbook(t testing.TB, path string, vars Vars) string {
	t.Helper()
	text, err := json.Marshal(vars)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "vars.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return Command(t, "ansible-playbook", "ansible", "-i", "localhost,", "-e", "@"+file, path)
}

// Command runs a program of a Debian package to its end and returns what it wrote; it must succeed.
func Command(t testing.TB, program, pkg string, args ...string) string {
	t.Helper()
	out, err := Try(t, program, pkg, args...)
	require.NoError(t, err, "%s %q:\n%s", program, args, out)
	return out
}

// Try runs a program that may fail.
func Try(t testing.TB, program, pkg string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(Program(t, program, pkg), args...)
	cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+Dir("edgetest", "ansible.cfg"), "ANSIBLE_NOCOLOR=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Program is the path of a program that a test cannot do without.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Debian puts daemons where a user's PATH does not look.
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	require.NoError(t, err, "%s is missing; on Debian: apt-get install %s", name, pkg)
	return path
}
