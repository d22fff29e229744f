// Package host boots one Debian host of the lab: an overlay over the shared image, systemd inside systemd-nspawn, in the network
// namespace that the lab has made for it.
package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Host is one machine of the fleet.
type Host struct {
	Instance   string
	Hostname   string // short, such as ip-10-80-1-5
	Domain     string // such as eu-central-1.compute.internal
	Address    string
	Namespace  string // path of the network namespace
	Image      string // directory of the shared image
	Dir        string // directory of this host's disk
	LogFile    string // its console
	CGroup     string // directory of its control group; made here
	PublicKeys []string
	UserData   []byte
}

// rebootStatus is how systemd-nspawn ends when the system inside wants to reboot.
const rebootStatus = 133

// ErrReboot is returned by Run when the host asks to be started again.
var ErrReboot = errors.New("the host reboots")

// Run boots the host and returns when it has ended, by itself or because ctx did: then as in a loss of power.
// The disk stays for a reboot, see RemoveDisk.
func (h *Host) Run(ctx context.Context) error {
	if err := h.makeDisk(); err != nil {
		return fmt.Errorf("disk of %s: %w", h.Instance, err)
	}
	group, err := makeCGroup(h.CGroup)
	if err != nil {
		return fmt.Errorf("control group of %s: %w", h.Instance, err)
	}
	defer group.Close()
	defer removeCGroup(h.CGroup)
	console, err := os.OpenFile(h.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer console.Close()

	cmd := exec.Command("/proc/self/exe", append([]string{ShimCommand, h.Dir, h.Image, h.Namespace}, h.nspawn()...)...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:       true,
		Pdeathsig:    syscall.SIGKILL,      // no host outlives the lab,
		Cloneflags:   syscall.CLONE_NEWPID, // nor does anything in it outlive systemd-nspawn
		Unshareflags: syscall.CLONE_NEWNS,  // its mounts end with it
		UseCgroupFD:  true,
		CgroupFD:     int(group.Fd()),
	}
	ended := make(chan error, 1)
	started := make(chan error, 1)
	go func() { // Pdeathsig counts the death of the thread that started the command
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start systemd-nspawn for %s: %w", h.Instance, err)
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		killCGroup(h.CGroup, cmd.Process.Pid)
		<-ended
		err = ctx.Err()
	}
	killCGroup(h.CGroup, 0)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return errors.New("the host was shut down from inside")
	case errors.As(err, &exit) && exit.ExitCode() == rebootStatus:
		return ErrReboot
	default:
		return fmt.Errorf("systemd-nspawn ended: %w; see %s", err, h.LogFile)
	}
}

// nspawn is the command line. --register=no and --keep-unit make it independent of the machine's systemd, if there is one.
func (h *Host) nspawn() []string {
	return []string{
		"systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
		"--directory=" + filepath.Join(h.Dir, "root"),
		"--machine=" + h.Instance,
		"--hostname=" + h.Hostname,
		"--network-namespace-path=" + h.Namespace,
		"--capability=CAP_NET_ADMIN", // addresses, routes and nftables of its own namespace
		"--link-journal=no", "--resolv-conf=off", "--timezone=off",
		"--console=read-only",
	}
}

// Answers says whether the host's sshd greets: the host can be used.
func (h *Host) Answers(ctx context.Context) bool {
	return greets(ctx, net.JoinHostPort(h.Address, "22"))
}

// greets says whether an SSH server answers at the address.
func greets(ctx context.Context, address string) bool {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	banner, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(banner, "SSH-2.0-")
}
