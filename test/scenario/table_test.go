package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func usd(v float64) *float64 { return &v }

var testCosts = map[string]Cost{
	"big": {Total: nil, Unknown: []string{"node: x9.huge"}, PricesAsOf: "2025-06, eu-central-1", Breakdown: []Part{
		{What: "node: x9.huge", Count: 2},
	}},
	"a": {Total: usd(0.1944), PricesAsOf: "2025-06, eu-central-1", Breakdown: []Part{
		{What: "node: t4g.small", Count: 2, Each: usd(0.0192), PerHour: usd(0.0384)},
	}},
}

const testTable = "| scenario | USD an hour | USD a day |\n| --- | ---: | ---: |\n" +
	"| `a` | 0.19 | 4.67 |\n| `big` | unknown | unknown |\n\nPrices as of 2025-06, eu-central-1.\n\n" +
	"| `a` | how many | USD an hour each | USD an hour |\n| --- | ---: | ---: | ---: |\n" +
	"| node: t4g.small | 2 | 0.01920 | 0.038 |\n| **sum** | | | **0.194** |\n\n" +
	"| `big` | how many | USD an hour each | USD an hour |\n| --- | ---: | ---: | ---: |\n" +
	"| node: x9.huge | 2 | unknown | unknown |\n| **sum** | | | **unknown** |\n\nNo price is known of node: x9.huge.\n"

func TestTheTableSaysWhatIsNotKnown(t *testing.T) {
	require.Equal(t, testTable, costTable(testCosts))
}

func TestTheReadmeIsBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(path, []byte("before\n"+tableBegin+"old\n"+tableEnd+"after\n"), 0o644))
	require.ErrorIs(t, updateReadme(path, "new\n", true), errStale)
	require.NoError(t, updateReadme(path, "new\n", false))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "before\n"+tableBegin+"\nnew\n\n"+tableEnd+"after\n", string(text))
	require.NoError(t, updateReadme(path, "new\n", true))

	require.NoError(t, os.WriteFile(path, []byte("no table\n"), 0o644))
	require.ErrorContains(t, updateReadme(path, "new\n", false), "are not both there")
}

func TestThePlansArguments(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	now := time.Date(2026, 1, 31, 20, 30, 59, 0, time.UTC)
	file := "-var-file=" + filepath.Join(root, "terraform/cluster/scenarios/million.tfvars")

	args, err := planner{root: root, scenario: "million", ttl: "8h"}.variables(now)
	require.NoError(t, err)
	require.Equal(t, []string{file, "-var=expires_at=2026-02-01T04:30:00Z"}, args)

	args, err = planner{root: root, scenario: "million", ttl: "never"}.variables(now)
	require.NoError(t, err)
	require.Equal(t, []string{file}, args)

	_, err = planner{root: root, scenario: "billion", ttl: "never"}.variables(now)
	require.EqualError(t, err, `scenario "billion": want one of lab, million, small`)
	for _, ttl := range []string{"tomorrow", "-1h", "0"} {
		_, err = planner{root: root, scenario: "million", ttl: ttl}.variables(now)
		require.ErrorContains(t, err, `-ttl "`+ttl+`": want a minute or more`)
	}
}
