// Package machine knows the lab's needs of the machine it runs on.
package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// shared are kernel parameters that exist once a machine, so that a host which sets one sets it for the machine, or that the lab
// itself raises. They are recorded when the lab starts and put back when it ends. (Those below net belong to a network namespace.)
var shared = []string{
	"fs.aio-max-nr",
	"fs.file-max",
	"fs.inotify.max_queued_events",
	"fs.inotify.max_user_instances",
	"fs.inotify.max_user_watches",
	"fs.nr_open",
	"fs.pipe-max-size",
	"fs.pipe-user-pages-soft",
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

// Every systemd, its journal and its message bus hold a few inotify instances, all of user 0. The usual limit of 128 is 20 hosts.
const (
	inotifyKey       = "fs.inotify.max_user_instances"
	inotifyInstances = 8192
)

// Record is the file with the values before the lab.
type Record struct{ Path string }

// Take records the values, unless an earlier lab that did not end well has: then its record is the true one.
func (r Record) Take() error {
	if _, err := os.Stat(r.Path); err == nil {
		return nil
	}
	values := map[string]string{}
	for _, key := range shared {
		if value, err := read(key); err == nil { // kernels differ in what they have
			values[key] = value
		}
	}
	return proc.Save(r.Path, values)
}

// Restore puts the recorded values back where they differ, and forgets them.
func (r Record) Restore() error {
	var values map[string]string
	if err := proc.Load(r.Path, &values); errors.Is(err, fs.ErrNotExist) {
		return nil
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
	return os.Remove(r.Path)
}

// Differing lists the keys whose value is not the recorded one. A ratio of 0 is the other side of a byte count that is set: the
// kernel keeps that itself.
func (r Record) Differing() []string {
	var values map[string]string
	if err := proc.Load(r.Path, &values); err != nil {
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

// RaiseLimits gives the machine room for many systemds. Call it after Take.
func RaiseLimits() error {
	value, err := read(inotifyKey)
	if err != nil {
		return err
	}
	if have, err := strconv.Atoi(value); err == nil && have >= inotifyInstances {
		return nil
	}
	return os.WriteFile(file(inotifyKey), []byte(strconv.Itoa(inotifyInstances)), 0o644)
}

func read(key string) (string, error) {
	value, err := os.ReadFile(file(key))
	return strings.TrimSpace(string(value)), err
}

func file(key string) string {
	return filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
}
