package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wsfleet/wsfleet/test/lab/proc"
	"github.com/wsfleet/wsfleet/test/lab/progress"
)

// dpkgConfig spares the build the calls of fsync, half of its time on a slow disk, and files that finish.sh would remove.
const dpkgConfig = `force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
`

// Build builds the image of today's recipe and removes older ones that no lab uses.
func (c Cache) Build(ctx context.Context, p *progress.Printer) (string, error) {
	lock, err := c.waitForLock(ctx, p)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if path, ok := c.Find(); ok { // another process has built it while this one waited
		return path, nil
	}
	if err := c.cleanLocked(); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(c.Dir, buildingPrefix)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp) // after a success there is nothing left to remove

	b := builder{root: filepath.Join(tmp, "root"), debs: filepath.Join(c.Dir, "debs"), log: filepath.Join(c.Dir, "build.log"), progress: p}
	if err := b.build(ctx); err != nil {
		return "", fmt.Errorf("build the image: %w (log: %s)", err, b.log)
	}
	if err := c.removeImagesLocked(func(string) bool { return true }); err != nil && !errors.Is(err, proc.ErrLocked) {
		return "", err
	}
	if err := os.Rename(b.root, c.Path()); err != nil {
		return "", err
	}
	return c.Path(), nil
}

type builder struct {
	root, debs, log string
	progress        *progress.Printer
}

func (b builder) build(ctx context.Context) error {
	for _, dir := range []string{b.root, b.debs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	log, err := os.Create(b.log)
	if err != nil {
		return err
	}
	defer log.Close()

	b.progress.Phase("fetch Debian packages (1/3)")
	include := strings.Join(Packages(), ",")
	// No mirror is named: debootstrap has its own default.
	if err := b.run(ctx, log, "", "debootstrap", "--variant=minbase", "--foreign",
		"--cache-dir="+b.debs, "--include="+include, suite, b.root); err != nil {
		return err
	}

	b.progress.Phase("install them (2/3)")
	for path, content := range map[string]string{
		"usr/sbin/policy-rc.d":            "#!/bin/sh\nexit 101\n", // no service starts while it is installed
		"etc/dpkg/dpkg.cfg.d/wsfleet-lab": dpkgConfig,
	} {
		target := filepath.Join(b.root, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, []byte(content), 0o755); err != nil {
			return err
		}
	}
	if err := b.run(ctx, log, "", "chroot", b.root, "/debootstrap/debootstrap", "--second-stage"); err != nil {
		return err
	}

	b.progress.Phase("set it up as a host (3/3)")
	if err := overlayFiles(b.root); err != nil {
		return err
	}
	return b.run(ctx, log, finish, "chroot", b.root, "/bin/sh")
}

// run runs a command in a process and a mount namespace of its own: when it is stopped, all of its children
// and what they mounted below the image are gone with it.
func (b builder) run(ctx context.Context, log io.Writer, stdin, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(environment(ctx), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:      true, // Ctrl-C is for us; we stop it by its namespace
		Pdeathsig:    syscall.SIGKILL,
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout

	done := make(chan error, 1)
	started := make(chan error, 1)
	go func() { // Pdeathsig counts the death of the thread that started the command
		unlock := lockThread()
		defer unlock()
		err := cmd.Start()
		started <- err
		if err == nil {
			last := b.follow(out, log)
			err = cmd.Wait()
			if err != nil && last != "" {
				err = fmt.Errorf("%w: %s", err, last)
			}
		}
		done <- err
	}()
	if err := <-started; err != nil {
		return err
	}
	if err := <-done; err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// follow copies the output to the log, counts what debootstrap reports and returns the last line that tells of an error.
func (b builder) follow(out io.Reader, log io.Writer) (last string) {
	count := map[string]int{}
	for s := bufio.NewScanner(out); s.Scan(); {
		line := s.Text()
		fmt.Fprintln(log, line)
		if verb, ok := strings.CutPrefix(line, "I: "); ok {
			verb, _, _ = strings.Cut(verb, " ")
			count[verb]++
			if label := map[string]string{"Retrieving": "fetched", "Unpacking": "unpacked", "Configuring": "configured"}[verb]; label != "" {
				b.progress.Detail("%d %s", count[verb], label)
			}
		}
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "dpkg: error") || strings.Contains(line, "rror:") {
			last = line
		}
	}
	return last
}
