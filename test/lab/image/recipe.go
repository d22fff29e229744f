// Package image builds the read-only Debian tree that all hosts of the lab share, and keeps it in a cache.
//
// It is a directory, not a squashfs: the hosts share its page cache either way, and a directory needs no
// decompression while a dozen hosts boot on two cores.
package image

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const suite = "bookworm"

//go:embed packages.txt
var packageList string

//go:embed finish.sh
var finish string

//go:embed rootfs
var rootfs embed.FS

// Packages lists the Debian packages of the image.
func Packages() []string {
	var names []string
	for s := bufio.NewScanner(strings.NewReader(packageList)); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	return names
}

// Key names the recipe: another recipe, another key. It does not change with Debian's archive.
func Key() string {
	h := sha256.New()
	fmt.Fprintln(h, suite, Packages(), finish)
	err := eachFile(func(path string, content []byte) error {
		fmt.Fprintln(h, path, len(content))
		h.Write(content)
		return nil
	})
	if err != nil {
		panic(err) // an embedded file system cannot fail
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:12]
}

// eachFile calls f with every file laid over the packages, by its path on the host.
func eachFile(f func(path string, content []byte) error) error {
	return fs.WalkDir(rootfs, "rootfs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := rootfs.ReadFile(path)
		if err != nil {
			return err
		}
		return f(strings.TrimPrefix(path, "rootfs"), content)
	})
}

// overlayFiles copies the files into the tree. An embedded file has no mode: scripts become executable.
func overlayFiles(root string) error {
	return eachFile(func(path string, content []byte) error {
		mode := os.FileMode(0o644)
		if bytes.HasPrefix(content, []byte("#!")) {
			mode = 0o755
		}
		target := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, mode)
	})
}
