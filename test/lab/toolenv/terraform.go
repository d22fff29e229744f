package toolenv

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	providerRegistry = "registry.terraform.io"
	provider         = providerRegistry + "/hashicorp/aws"
)

// A mirror is a folder that somebody made on purpose, so it is not deep.
const (
	mirrorDepth   = 5
	mirrorTimeout = 5 * time.Second
)

// writeTerraformConfig tells Terraform to take the AWS provider from a mirror on this machine if there is one, and everything
// else, or everything, from its registry.
func writeTerraformConfig(path, version string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	direct := "  direct {}\n"
	mirror := ""
	if dir := findMirror("/", version); dir != "" {
		mirror = fmt.Sprintf("  filesystem_mirror {\n    path    = %q\n    include = [%q]\n  }\n", dir, provider)
		direct = fmt.Sprintf("  direct {\n    exclude = [%q]\n  }\n", provider)
	}
	return os.WriteFile(path, []byte("provider_installation {\n"+mirror+direct+"}\n"), 0o644)
}

// findMirror returns the folder below root that holds a mirror of the AWS provider in that version (any, if it is empty), or nothing.
func findMirror(root, version string) string {
	end := time.Now().Add(mirrorTimeout)
	found := ""
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // what cannot be read is no mirror
		}
		if time.Now().After(end) {
			return filepath.SkipAll
		}
		rel, _ := filepath.Rel(root, path)
		depth := strings.Count(rel, "/") + 1
		switch {
		case d.Name() == providerRegistry:
			if hasProvider(filepath.Join(path, "hashicorp/aws"), version) {
				found = filepath.Dir(path)
				return filepath.SkipAll
			}
			return filepath.SkipDir
		case depth >= mirrorDepth, skip(rel, d.Name()):
			return filepath.SkipDir
		}
		return nil
	})
	return found
}

// skip names the folders that hold no mirror: those of the kernel, and the providers that a single configuration has installed.
func skip(rel, name string) bool {
	return slices.Contains([]string{"proc", "sys", "dev", "run", "tmp", "boot", "var/lib", "var/cache", "lost+found"}, rel) ||
		slices.Contains([]string{".terraform", "node_modules", ".git", ".lab"}, name)
}

// hasProvider says whether the version is there: packed, or unpacked in a folder of its own.
func hasProvider(dir, version string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if strings.HasSuffix(e.Name(), ".zip") {
			return strings.Contains(e.Name(), "_"+version)
		}
		return e.IsDir() && (version == "" || e.Name() == version)
	})
}

var lockedProvider = regexp.MustCompile(`provider "` + regexp.QuoteMeta(provider) + `" \{\s+version\s+= "([^"]+)"`)

// lockedVersion is the version of the provider that the project has locked: a mirror without it would be in the way.
func lockedVersion(project string) string {
	lock, err := os.ReadFile(filepath.Join(project, "terraform/cluster/.terraform.lock.hcl"))
	if err != nil {
		return "" // a project folder that is no clone, such as a test's
	}
	if m := lockedProvider.FindSubmatch(lock); m != nil {
		return string(m[1])
	}
	return ""
}

// TerraformConfig writes Terraform's configuration for the project to path, for runs without a lab.
func TerraformConfig(path, project string) error {
	return writeTerraformConfig(path, lockedVersion(project))
}
