package ansible_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

// The argument specification of a role is its documentation: it must name every variable the role offers, and the
// default that it really has. Defaults that are computed stand in defaults/ alone.
func TestArgumentSpecsMatchDefaults(t *testing.T) {
	roles, err := filepath.Glob("roles/*")
	require.NoError(t, err)
	require.NotEmpty(t, roles)
	for _, role := range roles {
		t.Run(filepath.Base(role), func(t *testing.T) {
			var defaults map[string]any
			load(t, filepath.Join(role, "defaults", "main.yml"), &defaults)
			var specs struct {
				Specs map[string]struct {
					ShortDescription string `yaml:"short_description"`
					Options          map[string]struct {
						Description string
						Type        string
						Default     any
					}
				} `yaml:"argument_specs"`
			}
			load(t, filepath.Join(role, "meta", "argument_specs.yml"), &specs)
			spec := specs.Specs["main"]
			assert.NotEmpty(t, spec.ShortDescription)

			for name, value := range defaults {
				assert.True(t, strings.HasPrefix(name, filepath.Base(role)+"_"), "%s does not begin with the role's name", name)
				option, documented := spec.Options[name]
				if !assert.True(t, documented, "%s is not in argument_specs.yml", name) {
					continue
				}
				assert.NotEmpty(t, option.Description, name)
				if computed(value) {
					assert.Nil(t, option.Default, "%s: the default is computed", name)
				} else {
					assert.Equal(t, value, option.Default, name)
				}
			}
			for name := range spec.Options {
				assert.Contains(t, defaults, name, "%s is documented and not there", name)
			}
		})
	}
}

// computed tells values that cannot be written into a specification: expressions, and long collections that are
// documented line by line where they stand.
func computed(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, "{{")
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

// Tasks never restart a service: handlers do, once, and only if something changed.
func TestTasksDoNotRestart(t *testing.T) {
	files, err := filepath.Glob("roles/*/tasks/*.yml")
	require.NoError(t, err)
	for _, file := range files {
		var tasks []map[string]any
		load(t, file, &tasks)
		for _, task := range tasks {
			for _, module := range []string{"ansible.builtin.systemd", "unit_set"} {
				args, _ := task[module].(map[string]any)
				state, _ := args["state"].(string)
				assert.False(t, slices.Contains([]string{"restarted", "reloaded"}, state), "%s: %s", file, task["name"])
			}
		}
	}
}

// inventory has one host for every group of the site; nothing connects to it.
func inventory(t *testing.T, groups ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts.yml")
	text := "all:\n  children:\n"
	for _, group := range groups {
		text += "    " + group + ":\n      hosts:\n        i-1: {}\n"
	}
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	t.Setenv("ANSIBLE_ROLES_PATH", edgetest.Dir("roles"))
	t.Setenv("AWS_DEFAULT_REGION", "eu-central-1")
	return path
}

var everyGroup = []string{"fleet", "node", "edge", "redis", "monitoring", "loadgen"}

func TestEveryRoleHasItsTag(t *testing.T) {
	out := edgetest.Command(t, "ansible-playbook", "ansible", "-i", inventory(t, everyGroup...), "-e", "@scenarios/lab.yml", "--list-tags", "site.yml")
	for _, tag := range []string{"kernel", "node_exporter", "wsnode", "haproxy", "nginx", "redis", "prometheus", "grafana", "wsload", "install", "configure"} {
		assert.Regexp(t, `TASK TAGS: \[.*\b`+tag+`\b.*\]`, out)
	}
}

// Before any host is touched.
func TestBadInputIsRefusedInOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		groups []string
		args   []string
		want   string
	}{
		"unknown balancer":    {everyGroup, []string{"-e", "edge_balancer=traefik"}, `edge_balancer is "traefik"; it must be haproxy or nginx`},
		"unknown layer":       {everyGroup, []string{"-e", "edge_layer=5"}, `edge_layer is "5"; it must be 7 or 4`},
		"no region":           {everyGroup, []string{"-e", "aws_region="}, "aws_region is empty; set AWS_DEFAULT_REGION"},
		"no such cluster":     {[]string{"other"}, nil, "no running instance has the tags Project=wsfleet, Cluster=lab and Role=node"},
		"a role with no host": {[]string{"fleet", "node", "edge", "monitoring"}, nil, "Cluster=lab and Role=redis"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("WSFLEET_CLUSTER", "lab")
			out, err := edgetest.Try(t, "ansible-playbook", "ansible", append([]string{"-i", inventory(t, c.groups...), "site.yml"}, c.args...)...)
			require.Error(t, err, out)
			assert.Contains(t, strings.Join(strings.Fields(out), " "), c.want)
			assert.NotContains(t, out, "i-1 ", "no host may be touched")
		})
	}
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
}
