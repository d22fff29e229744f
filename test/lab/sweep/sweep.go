// Package sweep ends a lab from outside and removes what is left of it. It needs no help from the daemon, which may have been
// killed at any moment: everything of a lab can be found by its Place.
package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/image"
	"github.com/wsfleet/wsfleet/test/lab/network"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
)

const (
	upGrace     = 10 * time.Second // for `lab up` to stop building
	daemonGrace = 30 * time.Second // for the daemon to end its hosts
	goneTimeout = 5 * time.Second  // the kernel takes a network namespace down in the background
)

// UpFile holds the identity of a `lab up` that is at work.
func UpFile(p place.Place) string { return filepath.Join(p.Run, "up.json") }

// StopUp ends a `lab up` that is at work.
func StopUp(p place.Place) error {
	var up proc.Identity
	if err := proc.Load(UpFile(p), &up); err != nil {
		return nil // none, or it died while it wrote its name
	}
	if up.PID == os.Getpid() {
		return nil
	}
	return up.Stop(upGrace)
}

// StopDaemon ends the daemon, and with it hosts and moto.
func StopDaemon(p place.Place) error {
	record, ok, err := record(p)
	if err != nil || !ok {
		return err
	}
	return record.Daemon.Stop(daemonGrace)
}

// record waits for a daemon that has just been started to leave its name.
func record(p place.Place) (r daemon.Record, ok bool, err error) {
	for range 20 {
		r, ok, err = daemon.Find(p)
		if ok && r.Daemon.Alive() || err != nil || !Alive(p) {
			return r, ok, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return r, ok, errors.New("a daemon runs, but has left no record of itself")
}

// Alive says whether a daemon runs, by the lock that it holds.
func Alive(p place.Place) bool {
	if _, err := os.Stat(p.Run); err != nil {
		return false
	}
	f, err := proc.Lock(filepath.Join(p.Run, "lock"))
	if err != nil {
		return errors.Is(err, proc.ErrLocked)
	}
	f.Close()
	return false
}

// UpLock is the file that a `lab up` at work holds locked.
func UpLock(p place.Place) string { return filepath.Join(p.Run, "up.lock") }

// Remove removes what a lab whose daemon has ended left: groups, network, disks, kernel parameters, files at run time.
// Of the run directory it leaves the lock of `lab up`, which may be the caller's.
func Remove(p place.Place) error {
	errs := []error{}
	for _, group := range groups(p) {
		host.SweepCGroup(group)
	}
	errs = append(errs, network.Sweep(p.Prefix), daemon.KernelRecord(p).Restore(), removeHosts(p), image.Cache{Dir: p.Cache}.Clean())
	if err := errors.Join(errs...); err != nil {
		return err // the records stay for the next try
	}
	return errors.Join(os.RemoveAll(p.State), removeRunFiles(p))
}

func removeRunFiles(p place.Place) error {
	entries, err := os.ReadDir(p.Run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if path := filepath.Join(p.Run, e.Name()); path != UpLock(p) {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

// groups are the lab's control groups: as recorded, or where we would make it.
func groups(p place.Place) []string {
	if r, ok, err := daemon.Find(p); ok && err == nil && r.CGroup != "" {
		return []string{r.CGroup}
	}
	if base, err := host.CGroupBase(); err == nil {
		return []string{filepath.Join(base, p.Unit())}
	}
	return nil
}

func removeHosts(p place.Place) error {
	entries, err := os.ReadDir(filepath.Join(p.State, "hosts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		h := host.Host{Instance: e.Name(), Dir: p.Host(e.Name())}
		if err := h.RemoveDisk(); err != nil {
			return err
		}
	}
	return nil
}

// Left lists what still exists of the lab, after a moment for the kernel to catch up.
func Left(p place.Place, groups []string) []string {
	var left []string
	for end := time.Now().Add(goneTimeout); ; time.Sleep(100 * time.Millisecond) {
		if left = leftNow(p, groups); len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

func leftNow(p place.Place, groups []string) []string {
	left := network.Leftovers(p.Prefix)
	for _, g := range groups {
		for _, pid := range host.Processes(g) {
			left = append(left, fmt.Sprintf("process %d", pid))
		}
		left = append(left, host.CGroupsLeft(g)...)
	}
	for _, id := range tools(p) {
		left = append(left, fmt.Sprintf("process %d", id.PID))
	}
	left = append(left, mounts(p)...)
	if daemon.KernelRecord(p).Left() {
		left = append(left, "kernel parameters recorded in "+place.Kernel)
	}
	for _, dir := range append([]string{p.Run, p.State, p.Lab()}, (image.Cache{Dir: p.Cache}).Abandoned()...) {
		if _, err := os.Lstat(dir); err == nil {
			left = append(left, "directory "+dir)
		}
	}
	return left
}

func mounts(p place.Place) []string {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return []string{"mounts: " + err.Error()}
	}
	var left []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 1 && (strings.HasPrefix(f[1], p.Run+"/") || strings.HasPrefix(f[1], p.State+"/") || strings.HasPrefix(f[1], network.NamespacePath(p.Prefix)+"-")) {
			left = append(left, "mount "+f[1])
		}
	}
	return left
}

// Down ends the lab whatever state it is in, removes everything of it and lists what it could not remove.
func Down(p place.Place) (left []string, err error) {
	if r, ok, err := daemon.Find(p); err == nil && ok && r.Project != p.Project && r.Daemon.Alive() {
		return nil, fmt.Errorf("the lab that is up belongs to %s (daemon pid %d): run this there", r.Project, r.Daemon.PID)
	}
	if err := errors.Join(StopUp(p), stopTools(p), StopDaemon(p)); err != nil {
		return nil, err
	}
	known := groups(p)
	if err := errors.Join(Remove(p), os.RemoveAll(p.Run), os.RemoveAll(p.Lab())); err != nil {
		return nil, err
	}
	return Left(p, known), nil
}
