package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// tools are the programs the lab runs, and Debian's package with each.
var tools = []struct{ program, pkg string }{
	{"systemd-nspawn", "systemd-container"},
	{"debootstrap", "debootstrap"},
	{"ssh", "openssh-client"},
}

// archiveKeyring holds the keys by which debootstrap checks Debian's packages. Only Debian itself always has it.
const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Check reports everything that keeps a lab from running here, a line each with the remedy.
func Check() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the lab needs Linux, this is %s", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("the lab makes network namespaces and boots hosts: run it as root")
	}
	var errs []error
	for _, t := range tools {
		if _, err := exec.LookPath(t.program); err != nil {
			errs = append(errs, fmt.Errorf("%s is missing; get it with: apt-get install %s", t.program, t.pkg))
		}
	}
	if _, err := os.Stat(archiveKeyring); err != nil {
		errs = append(errs, fmt.Errorf("%s is missing; get it with: apt-get install debian-archive-keyring", archiveKeyring))
	}
	// The kernel loads the overlay file system on demand where it is a module.
	if known, err := os.ReadFile("/proc/filesystems"); err == nil && !strings.Contains(string(known), "\toverlay\n") {
		if err := exec.Command("modprobe", "overlay").Run(); err != nil {
			errs = append(errs, errors.New("this kernel has no overlay file system (CONFIG_OVERLAY_FS)"))
		}
	}
	return errors.Join(errs...)
}

// HasSystemd says whether systemd is the machine's init, as sd_booted(3) does.
func HasSystemd() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}
