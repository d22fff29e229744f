package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindVersion(t *testing.T) {
	for out, want := range map[string]string{
		"go version go1.26.8 linux/amd64":            "1.26.8",
		"Terraform v1.11.4\non linux_amd64":          "1.11.4",
		"HAProxy version 2.6.12-1+deb12u2 2025/04":   "2.6.12",
		"systemd 252 (252.38-1~deb12u1)":             "252.38",
		"OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.16":     "9.2",
		"usage: moto_server [-h] [-H HOST]":          "",
		"Redis server v=7.0.15 sha=00000000:0 bits=": "7.0.15",
	} {
		require.Equal(t, want, findVersion(out), out)
	}
}

func TestOlder(t *testing.T) {
	require.True(t, older("1.8.5", "1.9"))
	require.True(t, older("2.6.12", "2.10"))
	require.True(t, older("", "1"))
	require.False(t, older("1.26.8", "1.26"))
	require.False(t, older("252.38", "252"))
	require.False(t, older("7", "7"))
}

func TestMissingProgramIsReportedWithItsFix(t *testing.T) {
	list := []prerequisite{
		{"nothing", []string{"wsfleet-no-such-program"}, "", "", "read the manual", "a test"},
		{"packaged", []string{"wsfleet-no-such-program-either"}, "", "some-package", "", "a test"},
		{"ancient", []string{"go", "version"}, "99.0", "", "wait", "a test"},
		{"present", []string{"go", "version"}, "1.0", "", "", "a test"},
	}
	results := checkAll(list)
	require.Equal(t, []string{"some-package"}, missingPackages(results))
	var out strings.Builder
	err := report(&out, results)
	require.ErrorContains(t, err, "3 missing: nothing, packaged, ancient")
	require.Contains(t, out.String(), "read the manual")
	require.Contains(t, out.String(), "apt-get install some-package")
	require.Contains(t, out.String(), "want 99.0 or newer")
	require.Regexp(t, `ok\s+present`, out.String())
}
