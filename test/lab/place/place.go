// Package place says where one lab keeps its things: directories, namespaces, the names of links.
// Everything that belongs to a lab can be found, and removed, from its Place alone.
package place

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// DefaultName is the lab that `make up` starts. Tests give theirs another name and so never meet it.
const DefaultName = "lab"

// Kernel is the directory that all labs share, for what exists once a machine.
const Kernel = "/run/wsfleet-kernel"

// A name is short because the kernel allows 15 bytes for the name of a link.
var nameRE = regexp.MustCompile(`^[a-z][a-z0-9]{1,3}$`)

// Place is where one lab lives on this machine.
type Place struct {
	Name    string `json:"name"`
	Prefix  string `json:"prefix"`  // of namespaces and links
	Run     string `json:"run"`     // pids, socket, host records; gone after a reboot
	State   string `json:"state"`   // the hosts' disks
	Cache   string `json:"cache"`   // images, shared by all labs
	Project string `json:"project"` // the clone this lab serves
}

// New returns the place of the lab of that name for the project.
func New(name, project string) (Place, error) {
	if !nameRE.MatchString(name) {
		return Place{}, fmt.Errorf("lab name %q: want 2 to 4 lower-case letters and digits, a letter first", name)
	}
	prefix := "wsf"
	if name != DefaultName {
		prefix = "x" + name
	}
	return Place{
		Name:    name,
		Prefix:  prefix,
		Run:     runDir(name),
		State:   "/var/lib/wsfleet-" + name,
		Cache:   "/var/cache/wsfleet",
		Project: project,
	}, nil
}

// Exists says whether the lab of that name is on this machine, up or killed.
func Exists(name string) bool {
	_, err := os.Stat(runDir(name))
	return err == nil
}

func runDir(name string) string { return "/run/wsfleet-" + name }

// FindProject walks up from dir to the clone of wsfleet it lies in.
func FindProject(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		mod, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/wsfleet/wsfleet\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is not inside a clone of wsfleet; change into one, or give -project", dir)
		}
	}
}

// Unit is the name of the lab's systemd unit (where there is a systemd) and of its control group.
func (p Place) Unit() string { return "wsfleet-" + p.Name }

// Switch is the namespace that holds the bridges of the VPCs.
func (p Place) Switch() string { return p.Prefix + "-switch" }

// Namespace is the network namespace of an instance's host.
func (p Place) Namespace(instance string) string { return p.Prefix + "-" + instance }

// Socket is where the daemon answers the other commands.
func (p Place) Socket() string { return filepath.Join(p.Run, "daemon.sock") }

// Host is the directory of one host's disk.
func (p Place) Host(instance string) string { return filepath.Join(p.State, "hosts", instance) }

// Lab is the folder of the project that `down` removes: key, Terraform state, logs.
func (p Place) Lab() string { return filepath.Join(p.Project, ".lab") }

// Key is the private key whose public half is given to Terraform.
func (p Place) Key() string { return filepath.Join(p.Lab(), "key") }

// SSHSockets is where Ansible keeps its SSH connections open. It is short, because a socket's path has 108 bytes.
func (p Place) SSHSockets() string { return filepath.Join(p.Run, "ssh") }

// Log is the log of a host (by instance id), of moto or of the daemon.
func (p Place) Log(name string) string { return filepath.Join(p.Lab(), "logs", name+".log") }
