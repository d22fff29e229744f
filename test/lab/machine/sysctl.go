// Package machine knows the lab's needs of the machine it runs on.
package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// shared are kernel parameters that exist once a machine, so that a host which sets one sets it for the machine, or that the lab
// itself raises. They are recorded when the lab starts and put back when it ends. (Others below net belong to a network namespace.)
var shared = []string{
	"fs.aio-max-nr",
	"fs.file-max",
	"fs.inotify.max_queued_events",
	"fs.inotify.max_user_instances",
	"fs.inotify.max_user_watches",
	"fs.nr_open",
	"fs.pipe-max-size",
	"fs.pipe-user-pages-soft",
	"net.ipv4.tcp_child_ehash_entries",
	"kernel.panic",
	"kernel.panic_on_oops",
	"kernel.pid_max",
	"kernel.sched_autogroup_enabled",
	"kernel.threads-max",
	"vm.dirty_background_bytes",
	"vm.dirty_background_ratio",
	"vm.dirty_bytes",
	"vm.dirty_ratio",
	"vm.max_map_count",
	"vm.min_free_kbytes",
	"vm.overcommit_memory",
	"vm.overcommit_ratio",
	"vm.swappiness",
	"vm.vfs_cache_pressure",
}

// raised are the least values that the lab needs. What a kernel does not have is not raised.
var raised = map[string]int{
	// Every systemd, its journal and its message bus hold a few inotify instances, all of user 0. The usual limit of 128 is
	// 20 hosts.
	"fs.inotify.max_user_instances": 8192,
	// Namespaces share the machine's table of TCP connections unless told to have their own. A host of EC2 has one to itself;
	// here four million sockets would share 262,144 chains, and every packet search one of them. 4 MiB a host.
	"net.ipv4.tcp_child_ehash_entries": 524_288,
}

// Record holds the values before the first lab of this machine. Labs that run beside each other share it, and the last one
// puts the values back: each for itself, the second would take the first one's values for the machine's own.
type Record struct {
	Dir  string                // shared by all labs
	Lab  string                // the lab that takes or restores
	Here func(lab string) bool // whether another lab still exists; the entry of one that is gone does not count
}

func (r Record) values() string { return filepath.Join(r.Dir, "values.json") }

func (r Record) entry() string { return filepath.Join(r.Dir, "lab-"+r.Lab) }

// Take records the values, unless a lab that is here, or this one before it was killed, has done so.
func (r Record) Take() error {
	unlock, err := r.lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(r.values()); errors.Is(err, fs.ErrNotExist) {
		values := map[string]string{}
		for _, key := range shared {
			if value, err := read(key); err == nil { // kernels differ in what they have
				values[key] = value
			}
		}
		if err := proc.Save(r.values(), values); err != nil {
			return err
		}
	}
	return os.WriteFile(r.entry(), nil, 0o644)
}

// Restore puts the recorded values back where they differ, and forgets them, unless another lab is here.
func (r Record) Restore() error {
	unlock, err := r.lock(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if r.others() {
		return os.RemoveAll(r.entry())
	}
	var values map[string]string
	if err := proc.Load(r.values(), &values); errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(r.Dir)
	} else if err != nil {
		return err
	}
	var errs []error
	for _, key := range r.Differing() {
		if err := os.WriteFile(file(key), []byte(values[key]), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("put %s back to %s: %w", key, values[key], err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(r.Dir)
}

// others says whether another lab relies on the record.
func (r Record) others() bool {
	entries, _ := filepath.Glob(filepath.Join(r.Dir, "lab-*"))
	return slices.ContainsFunc(entries, func(path string) bool {
		lab := strings.TrimPrefix(filepath.Base(path), "lab-")
		return lab != r.Lab && r.Here(lab)
	})
}

// Left says whether the lab still has a part in the record.
func (r Record) Left() bool {
	_, err := os.Stat(r.entry())
	return err == nil
}

// lock waits for the directory, which another lab may remove meanwhile.
func (r Record) lock(create bool) (unlock func(), err error) {
	for {
		if create {
			if err := os.MkdirAll(r.Dir, 0o755); err != nil {
				return nil, err
			}
		}
		dir, err := os.Open(r.Dir)
		if errors.Is(err, fs.ErrNotExist) && create {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
			dir.Close()
			return nil, fmt.Errorf("lock %s: %w", r.Dir, err)
		}
		ours, err1 := dir.Stat()
		now, err2 := os.Stat(r.Dir)
		if err1 == nil && err2 == nil && os.SameFile(ours, now) {
			return func() { dir.Close() }, nil
		}
		dir.Close()
	}
}

// Differing lists the keys whose value is not the recorded one. A ratio of 0 is the other side of a byte count that is set: the
// kernel keeps that itself.
func (r Record) Differing() []string {
	var values map[string]string
	if err := proc.Load(r.values(), &values); err != nil {
		return nil
	}
	var keys []string
	for key, value := range values {
		derived := strings.HasPrefix(key, "vm.dirty_") && value == "0"
		if now, err := read(key); err == nil && now != value && !derived {
			keys = append(keys, key)
		}
	}
	return keys
}

// RaiseLimits gives the machine room for many hosts, before the first of them is made. Call it after Take.
func RaiseLimits() error {
	for key, least := range raised {
		value, err := read(key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if have, err := strconv.Atoi(value); err == nil && have >= least {
			continue
		}
		if err := os.WriteFile(file(key), []byte(strconv.Itoa(least)), 0o644); err != nil {
			return fmt.Errorf("raise %s from %s to %d: %w", key, value, least, err)
		}
	}
	return nil
}

func read(key string) (string, error) {
	value, err := os.ReadFile(file(key))
	return strings.TrimSpace(string(value)), err
}

func file(key string) string {
	return filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
}
