package sweep

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// toolGrace is how long a tool may take to end.
const toolGrace = 5 * time.Second

// tools finds the processes that Terraform and Ansible left running for the lab: a provider whose Terraform was killed,
// recognised by the program it runs, and SSH connections kept open for the next task, by the socket they name.
func tools(p place.Place) []proc.Identity {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []proc.Identity
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !worksFor(p, e.Name()) {
			continue
		}
		if id, err := proc.Of(pid); err == nil {
			found = append(found, id)
		}
	}
	return found
}

func worksFor(p place.Place, pid string) bool {
	// A provider from a mirror is run through a link, so its own name for itself tells more than the file.
	cmdline, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	program, _, _ := strings.Cut(string(cmdline), "\x00")
	return strings.HasPrefix(program, filepath.Join(p.Lab(), "terraform")+"/") ||
		strings.HasPrefix(string(cmdline), "ssh: "+p.SSHSockets()+"/")
}

// stopTools ends them.
func stopTools(p place.Place) error {
	for _, id := range tools(p) {
		if err := id.Stop(toolGrace); err != nil {
			return err
		}
	}
	return nil
}
