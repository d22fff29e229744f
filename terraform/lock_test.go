package terraform

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the provider is released for: a lock file with fewer checksums of archives was made from something less than a
// release, such as a mirror of one platform, and `terraform init` would refuse to work on the others.
const releasedPlatforms = 14

// The lock file works for everybody who takes the provider from the registry, on any platform, and pins what versions.tf asks
// for. It asks nobody: the checksums themselves are the registry's, signed, and `terraform init` checks them.
func TestTheLockFileIsForEveryPlatform(t *testing.T) {
	text, err := os.ReadFile("cluster/.terraform.lock.hcl")
	require.NoError(t, err)
	archives := regexp.MustCompile(`"zh:[0-9a-f]{64}"`).FindAllString(string(text), -1)
	require.GreaterOrEqual(t, len(archives), releasedPlatforms, "checksums of release archives: run terraform providers lock, as README.md says")
	require.Regexp(t, `"h1:[A-Za-z0-9+/]{43}="`, string(text), "checksums of unpacked providers")

	locked := regexp.MustCompile(`(?s)provider "registry\.terraform\.io/hashicorp/aws" \{\n  version     = "(\d+\.\d+)\.\d+"`).FindSubmatch(text)
	require.NotNil(t, locked, "the AWS provider is not locked")
	versions, err := os.ReadFile("cluster/versions.tf")
	require.NoError(t, err)
	require.Contains(t, string(versions), `version = "~> `+string(locked[1])+`"`)
}
