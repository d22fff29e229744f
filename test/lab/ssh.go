package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
)

func setupSSH(*flag.FlagSet) func(context.Context, *lab, []string) error {
	return func(ctx context.Context, l *lab, args []string) error {
		if len(args) == 0 {
			return errors.New("ssh: which host? Give an instance id, an address, or role and number such as node-0")
		}
		report, err := daemon.Ask(ctx, l.Place)
		if err != nil {
			return err
		}
		h, err := find(report.Hosts, args[0])
		if err != nil {
			return err
		}
		ssh, err := exec.LookPath("ssh")
		if err != nil {
			return err
		}
		// Hosts come and go under the same addresses: their keys are not worth remembering.
		command := append([]string{
			"ssh", "-i", l.Key(), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "admin@" + h.Address.String(),
		}, args[1:]...)
		return syscall.Exec(ssh, command, os.Environ())
	}
}

// find finds a host by instance id, address, or role with a number that counts by address, which may be left out where a role
// has one host. The hosts are sorted by role and address.
func find(hosts []ec2sync.Status, name string) (ec2sync.Status, error) {
	var known, ofRole []ec2sync.Status
	role, number := name, 0
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil {
			role, number = name[:i], n
		}
	}
	for _, h := range hosts {
		if h.Instance == name || h.Address.String() == name {
			return h, nil
		}
		if h.Role == role {
			ofRole = append(ofRole, h)
		}
		known = append(known, h)
	}
	if number >= 0 && number < len(ofRole) && (role != name || len(ofRole) == 1) {
		return ofRole[number], nil
	}
	if len(ofRole) > 1 && role == name {
		return ec2sync.Status{}, fmt.Errorf("%d hosts have the role %s: say %s-0 to %s-%d", len(ofRole), role, role, role, len(ofRole)-1)
	}
	return ec2sync.Status{}, fmt.Errorf("no host %q among the %d of the lab; see lab status", name, len(known))
}
