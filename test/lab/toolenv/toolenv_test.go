package toolenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/place"
)

func testPlace(t *testing.T) place.Place {
	p, err := place.New("t1", t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(p.Lab(), 0o755))
	return p
}

func TestTheKeyIsMadeOnceAndOnlyTheOwnerReadsIt(t *testing.T) {
	p := testPlace(t)
	require.NoError(t, makeKey(p.Key()))
	info, err := os.Stat(p.Key())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	private, err := os.ReadFile(p.Key())
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(private)
	require.NoError(t, err)
	public, err := os.ReadFile(p.Key() + ".pub")
	require.NoError(t, err)
	parsed, comment, _, _, err := ssh.ParseAuthorizedKey(public)
	require.NoError(t, err)
	require.Equal(t, signer.PublicKey().Marshal(), parsed.Marshal())
	require.Equal(t, "wsfleet-lab", comment)

	require.NoError(t, makeKey(p.Key()))
	again, err := os.ReadFile(p.Key())
	require.NoError(t, err)
	require.Equal(t, private, again)
}

func TestTheEnvironmentSurvivesTheShell(t *testing.T) {
	values := []Variable{
		{"LAB_TEST_PLAIN", "eu-central-1"},
		{"LAB_TEST_HARD", `it's $HOME "quoted" \ and
two lines`},
	}
	script := Shell(values) + `printf '%s|%s|%s' "$LAB_TEST_PLAIN" "$LAB_TEST_HARD" "${AWS_PROFILE-none}"`
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "AWS_PROFILE=my-own-account")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, values[0].Value+"|"+values[1].Value+"|none", string(out))
}

func TestThePythonFolderHoldsOnlyTheLinks(t *testing.T) {
	p := testPlace(t)
	target := t.TempDir()
	inst := moto.Installation{Packages: map[string]string{"boto3": target, "botocore": target}}
	for range 2 { // a second run replaces the links
		require.NoError(t, linkPackages(pythonDir(p), inst.Packages))
	}
	entries, err := os.ReadDir(pythonDir(p))
	require.NoError(t, err)
	require.Len(t, entries, 2)
	link, err := os.Readlink(filepath.Join(pythonDir(p), "boto3"))
	require.NoError(t, err)
	require.Equal(t, target, link)
}

func TestAMirrorIsFoundByTheLockedVersion(t *testing.T) {
	root := t.TempDir()
	mkdir := func(path string) { require.NoError(t, os.MkdirAll(filepath.Join(root, path), 0o755)) }
	mkdir("home/me/infra/.terraform/providers/" + provider + "/5.100.0") // of one configuration
	mkdir("home/me/empty/" + provider)
	require.Empty(t, findMirror(root, ""))

	mkdir("srv/old/" + provider + "/5.99.0")
	require.Equal(t, filepath.Join(root, "srv/old"), findMirror(root, ""))
	require.Empty(t, findMirror(root, "5.100.0"))

	mkdir("srv/zip/" + provider)
	require.NoError(t, os.WriteFile(filepath.Join(root, "srv/zip", provider, "terraform-provider-aws_5.100.0_linux_amd64.zip"), nil, 0o644))
	require.Equal(t, filepath.Join(root, "srv/zip"), findMirror(root, "5.100.0"))
}

func TestTheLockedVersionIsReadFromTheLockFile(t *testing.T) {
	clone, err := place.FindProject(mustGetwd(t))
	require.NoError(t, err)
	require.Regexp(t, `^\d+\.\d+\.\d+$`, lockedVersion(clone))
	require.Empty(t, lockedVersion(t.TempDir()))
}

func TestTheTerraformConfigurationIsValid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terraform.rc")
	require.NoError(t, writeTerraformConfig(path, "0.0.0")) // in no mirror: everything from the registry
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "provider_installation {\n  direct {}\n}\n", string(text))

	cmd := exec.Command("terraform", "version")
	if cmd.Err != nil {
		t.Fatal("terraform is not installed: make doctor says how to get it")
	}
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "Error")
}

func mustGetwd(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	return dir
}
