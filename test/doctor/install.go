package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// policyFile tells Debian's maintainer scripts whether they may start services.
const policyFile = "/usr/sbin/policy-rc.d"

func missingPackages(results []result) []string {
	var pkgs []string
	for _, r := range results {
		if !r.ok && r.pkg != "" && !slices.Contains(pkgs, r.pkg) {
			pkgs = append(pkgs, r.pkg)
		}
	}
	return pkgs
}

// installPackages installs with apt-get, and keeps the packages from starting
// their services: only their programs are wanted, not a Redis on port 6379.
func installPackages(w io.Writer, pkgs []string) error {
	if os.Getuid() != 0 {
		return fmt.Errorf("only root can install %s", strings.Join(pkgs, " "))
	}
	release, err := forbidServices()
	if err != nil {
		return err
	}
	defer release()
	for _, args := range [][]string{
		{"update", "-qq"},
		append([]string{"install", "-qq", "-y", "--no-install-recommends"}, pkgs...),
	} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
		}
	}
	return nil
}

// forbidServices puts a policy in place for the time of the installation. One that
// is there already is the machine owner's and stays.
func forbidServices() (release func(), err error) {
	f, err := os.OpenFile(policyFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, os.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keep services from starting: %w", err)
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return func() { os.Remove(policyFile) }, err
}
