// Package toolenv prepares what Terraform, Ansible and the AWS tools need to work on the lab: a key, links, a configuration, and
// the environment that names them.
package toolenv

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/place"
)

// Prepare makes the files below the project's .lab that the environment names. What is there already stays.
func Prepare(p place.Place, python moto.Installation) error {
	if err := os.MkdirAll(filepath.Join(p.Lab(), "logs"), 0o755); err != nil {
		return err
	}
	if err := makeKey(p.Key()); err != nil {
		return fmt.Errorf("SSH key: %w", err)
	}
	if err := linkPackages(pythonDir(p), python.Packages); err != nil {
		return fmt.Errorf("links to Python packages: %w", err)
	}
	return writeTerraformConfig(terraformFile(p), lockedVersion(p.Project))
}

// Variable is one line of the environment.
type Variable struct{ Name, Value string }

// Environment lists what to export. endpoint is the URL of the AWS API.
func Environment(p place.Place, endpoint string) ([]Variable, error) {
	public, err := os.ReadFile(p.Key() + ".pub")
	if err != nil {
		return nil, err
	}
	return []Variable{
		{"AWS_ENDPOINT_URL", endpoint},
		{"AWS_ACCESS_KEY_ID", ec2sync.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", ec2sync.SecretKey},
		{"AWS_REGION", ec2sync.Region},
		{"AWS_DEFAULT_REGION", ec2sync.Region},
		{"TF_CLI_CONFIG_FILE", terraformFile(p)},
		{"CHECKPOINT_DISABLE", "1"}, // Terraform does not ask for news of itself
		{"TF_VAR_ssh_public_key", strings.TrimSpace(string(public))},
		{"ANSIBLE_PRIVATE_KEY_FILE", p.Key()},
		{"ANSIBLE_SSH_CONTROL_PATH_DIR", p.SSHSockets()},
		{"PYTHONPATH", pythonDir(p)},
	}, nil
}

// Hidden are variables that would make the tools leave the lab for the reader's own AWS account.
var Hidden = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"}

// Shell writes the variables as commands for a POSIX shell.
func Shell(vars []Variable) string {
	var b strings.Builder
	fmt.Fprintf(&b, "unset %s\n", strings.Join(Hidden, " "))
	for _, v := range vars {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, quote(v.Value))
	}
	return b.String()
}

// quote makes one word of the shell of any text.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func terraformFile(p place.Place) string { return filepath.Join(p.Lab(), "terraform.rc") }

func pythonDir(p place.Place) string { return filepath.Join(p.Lab(), "python") }

// makeKey makes the pair that opens the hosts.
func makeKey(path string) error {
	if _, err := os.Stat(path + ".pub"); err == nil {
		return nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "wsfleet lab")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	// The public half comes last: where it is, the pair is whole.
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " wsfleet-lab\n"
	return os.WriteFile(path+".pub", []byte(line), 0o644)
}

// linkPackages makes a folder that holds these Python packages and no others, so that putting it on another Python's path
// changes nothing else.
func linkPackages(dir string, packages map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, target := range packages {
		link := filepath.Join(dir, name)
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	return nil
}
