package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/proc"
	"github.com/wsfleet/wsfleet/test/lab/progress"
)

// Cache is the directory of images. An image appears in it by a rename, whole or not at all.
type Cache struct{ Dir string }

const (
	imagePrefix    = "image-"
	buildingPrefix = ".building-"
)

// Path is where the image of today's recipe is, or will be.
func (c Cache) Path() string { return filepath.Join(c.Dir, imagePrefix+Key()) }

// Find returns the image of today's recipe and whether there is one.
func (c Cache) Find() (string, bool) {
	_, err := os.Stat(c.Path())
	return c.Path(), err == nil
}

// Use keeps the image from being removed until the returned file is closed.
func (c Cache) Use() (*os.File, error) { return proc.Share(c.Path() + ".lock") }

// lock makes this process the one that changes the cache.
func (c Cache) lock() (*os.File, error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	f, err := proc.Lock(filepath.Join(c.Dir, "lock"))
	if errors.Is(err, proc.ErrLocked) {
		return nil, fmt.Errorf("another process is building or removing an image in %s: %w", c.Dir, proc.ErrLocked)
	}
	return f, err
}

// waitForLock lets another build end first: it is likely to be the same image.
func (c Cache) waitForLock(ctx context.Context, p *progress.Printer) (*os.File, error) {
	for first := true; ; first = false {
		lock, err := c.lock()
		if !errors.Is(err, proc.ErrLocked) {
			return lock, err
		}
		if first {
			p.Phase("wait for another build")
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Clean removes what interrupted builds left. It does nothing while a build runs.
func (c Cache) Clean() error {
	if _, err := os.Stat(c.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := c.lock()
	if errors.Is(err, proc.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return c.cleanLocked()
}

func (c Cache) cleanLocked() error {
	old, err := filepath.Glob(filepath.Join(c.Dir, buildingPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// Abandoned lists the directories of builds that were interrupted.
func (c Cache) Abandoned() []string {
	lock, err := proc.Lock(filepath.Join(c.Dir, "lock"))
	if err != nil {
		return nil // there is no cache, or a build runs
	}
	defer lock.Close()
	dirs, _ := filepath.Glob(filepath.Join(c.Dir, buildingPrefix+"*"))
	return dirs
}

// Remove deletes the whole cache, but no image that a lab uses.
func (c Cache) Remove() error {
	if _, err := os.Stat(c.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := c.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := c.removeImagesLocked(func(string) bool { return true }); err != nil {
		return err
	}
	return os.RemoveAll(c.Dir)
}

// removeImagesLocked removes the images that match, except those in use, which are an error.
func (c Cache) removeImagesLocked(match func(dir string) bool) error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := filepath.Join(c.Dir, e.Name())
		if !e.IsDir() || !strings.HasPrefix(e.Name(), imagePrefix) || !match(dir) {
			continue
		}
		use, err := proc.Lock(dir + ".lock")
		if errors.Is(err, proc.ErrLocked) {
			return fmt.Errorf("%s is in use by a lab: %w", dir, proc.ErrLocked)
		}
		if err != nil {
			return err
		}
		err = errors.Join(os.RemoveAll(dir), os.Remove(dir+".lock"))
		use.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
