package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// ShimCommand is the hidden command of the lab's binary that becomes systemd-nspawn.
const ShimCommand = "run-host"

// Shim runs in the mount namespace of one host: it mounts the host's disk, which only this namespace sees, and becomes
// systemd-nspawn. When that ends, however it ends, the kernel takes the mount away.
func Shim(args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("%s: want DIR IMAGE NAMESPACE COMMAND…", ShimCommand)
	}
	dir, image, namespace, command := args[0], args[1], args[2], args[3:]
	if err := forgetNamespaces(namespace); err != nil {
		return err
	}
	if err := hideRuntime(); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc of the new process namespace: %w", err)
	}
	// volatile: the disk does not outlive its host, so nothing has to wait for the real one.
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,volatile", image, filepath.Join(dir, "upper"), filepath.Join(dir, "work"))
	if err := unix.Mount("overlay", filepath.Join(dir, "root"), "overlay", 0, options); err != nil {
		return fmt.Errorf("mount the overlay on %s: %w", image, err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	// The daemon asked the kernel to kill this process with it, but exec keeps that only for the thread that calls it.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie the host to the daemon: %w", err)
	}
	return unix.Exec(path, command, append(os.Environ(),
		"SYSTEMD_NSPAWN_API_VFS_WRITABLE=1", // roles set kernel parameters, so /proc/sys must be writable
		"SYSTEMD_LOG_TARGET=console",        // as process 1 of its namespace it would write to the kernel's log
	))
}

// hideRuntime keeps what systemd-nspawn writes at run time, and does not remove when it is killed, in this mount namespace.
func hideRuntime() error {
	const dir = "/run/systemd/nspawn"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", dir, err)
	}
	return nil
}

// forgetNamespaces drops this mount namespace's copies of the other hosts' network namespaces:
// they would keep a host's network alive after its end.
func forgetNamespaces(own string) error {
	entries, err := os.ReadDir(filepath.Dir(own))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if path := filepath.Join(filepath.Dir(own), e.Name()); path != own {
			_ = unix.Unmount(path, unix.MNT_DETACH) // it may have gone meanwhile
		}
	}
	return nil
}
