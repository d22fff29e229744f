package ec2sync

import (
	"net/netip"

	"github.com/wsfleet/wsfleet/test/lab/host"
)

// State is what a host does.
type State string

// The states of a host.
const (
	Waiting State = "waiting" // other hosts boot before it
	Booting State = "booting"
	Running State = "running" // its sshd answers
	Ending  State = "ending"  // the instance is gone, the host will be
	Failed  State = "failed"  // it could not be set up and will be tried again; the note says why
	Dead    State = "dead"    // it ended although its instance runs; the note says how
)

// Status describes a host.
type Status struct {
	Instance    string     `json:"instance"`
	Role        string     `json:"role"`
	Name        string     `json:"name"`
	Address     netip.Addr `json:"address"`
	VPC         string     `json:"vpc"`
	State       State      `json:"state"`
	Note        string     `json:"note,omitempty"`
	BootSeconds float64    `json:"boot_seconds"` // from the start of systemd-nspawn until sshd answers; 0 before
	host.Usage
}
