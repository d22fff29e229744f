package main

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README's table is what Terraform computes of the scenarios, each of which plans.
func TestTheReadmeTellsTheCost(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, cost(t.Context(), root, true, &out))
	require.NotContains(t, out.String(), "unknown", "a scenario of ours uses something without a price")
	require.Regexp(t, "\\| `million` \\| [1-9]", out.String())
}

// What `make plan SCENARIO=million EMULATOR=1` does, with a time to live.
func TestTheMillionPlans(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var out bytes.Buffer
	p := planner{root: root, scenario: "million", ttl: "8h", emulator: true, stdout: &out, stderr: io.Discard}
	require.NoError(t, p.plan(t.Context()))
	require.Regexp(t, regexp.MustCompile(`Plan: \d+ to add, 0 to change, 0 to destroy`), out.String())
	require.Contains(t, out.String(), "module.expiry[0].aws_scheduler_schedule.main")
}
