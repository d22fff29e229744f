// Package terraform runs what Terraform has to say of the modules: formatting,
// validity and their own tests, which plan against a mocked provider.
package terraform

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/toolenv"
)

// environment returns what terraform needs to find the provider, and a data folder
// of its own, so that a run leaves nothing in the clone.
func environment(t *testing.T) []string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "terraform.rc")
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.NoError(t, toolenv.TerraformConfig(config, root))
	return append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "TF_DATA_DIR="+filepath.Join(t.TempDir(), "data"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
}

func run(t *testing.T, env []string, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("terraform", append([]string{"-chdir=" + dir}, args...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestFormatted(t *testing.T) {
	out, err := run(t, os.Environ(), ".", "fmt", "-check", "-recursive")
	require.NoError(t, err, "run terraform fmt -recursive: %s", out)
}

func TestModulesAndRoot(t *testing.T) {
	dirs, err := filepath.Glob("modules/*")
	require.NoError(t, err)
	for _, dir := range append(dirs, "cluster") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			env := environment(t)
			args := []string{"init", "-input=false", "-no-color"}
			if dir == "cluster" {
				args = append(args, "-lockfile=readonly")
			} else {
				lock := filepath.Join(dir, ".terraform.lock.hcl") // only roots keep theirs
				t.Cleanup(func() { _ = os.Remove(lock) })
			}
			out, err := run(t, env, dir, args...)
			require.NoError(t, err, out)
			out, err = run(t, env, dir, "validate", "-no-color")
			require.NoError(t, err, out)
			out, err = run(t, env, dir, "test", "-no-color")
			require.NoError(t, err, out)
			require.Regexp(t, `Success! [1-9]\d* passed, 0 failed`, out)
		})
	}
}

// A wrong value ends the plan with one error that names the variable and the value.
func TestBadValuesAreNamed(t *testing.T) {
	env := environment(t)
	out, err := run(t, env, "cluster", "init", "-input=false", "-lockfile=readonly", "-no-color")
	require.NoError(t, err, out)
	for value, want := range map[string]string{
		"node={count=0}":                 "node.count must be a whole number from 1 to 500; got 0.",
		"egress=nats":                    `egress must be none, public_ip, nat or nat_per_zone; got "nats".`,
		`admin_cidrs=["0.0.0.0/0"]`:      `got ["0.0.0.0/0"]`,
		"cluster_name=No":                `got "No"`,
		"ssh_public_key=~/.ssh/id.pub":   `got "~/.ssh/id.pub"`,
		"architecture=sparc":             "architecture must be amd64 or arm64",
		"vpc_cidr=10.80.0.0/33":          "vpc_cidr",
		"availability_zone_count=0":      "availability_zone_count",
		"redis={volume_size_gb=1}":       "redis.volume_size_gb",
		`tags={Project="somebody else"}`: "tags must not set Project",
	} {
		out, err := run(t, env, "cluster", "plan", "-input=false", "-no-color", "-lock=false", "-refresh=false",
			"-state="+filepath.Join(t.TempDir(), "none.tfstate"),
			"-var-file=scenarios/lab.tfvars", "-var", "ssh_public_key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ", "-var", value)
		require.Error(t, err, value)
		unwrapped := regexp.MustCompile(`\n│? *`).ReplaceAllString(out, " ")
		require.Contains(t, unwrapped, want, value)
		require.Equal(t, 1, strings.Count(out, "Error: "), "%s: %s", value, out)
	}
}
