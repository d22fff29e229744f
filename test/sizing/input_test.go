package sizing

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadInputIsNamed(t *testing.T) {
	prices := filepath.Join(t.TempDir(), "prices.json")
	require.NoError(t, os.WriteFile(prices, []byte(`{"types": {"tiny": {"cores": 0}}}`), 0o600))
	for args, want := range map[string]string{
		"-connections 0":               "-connections must be from 1 to 1,000,000,000, got 0",
		"-connections 1.5":             "-connections must be a whole number, got 1.5",
		"-connections many":            `invalid value "many" for flag -connections`,
		"-connections NaN":             "-connections must be from 1 to 1,000,000,000, got NaN",
		"-connections 10 -audience 11": "-audience must be from 0 to 10, got 11",
		"-messages -1":                 "-messages must be from 0 to 1,000,000, got -1",
		"-bytes 5000":                  "-bytes must be from 1 to 4,096, got 5000",
		"-heartbeat 0":                 "-heartbeat must be from 1s to 24h0m0s, got 0s",
		"-balancer envoy":              `-balancer must be haproxy or nginx, got "envoy"`,
		"-layer 5":                     "-layer must be 4 or 7, got 5",
		"-open-files 1000":             "-open-files must be from 2,048 to 2,147,483,647, got 1000",
		"-cpu-use 1.1":                 "-cpu-use must be from 0.01 to 1, got 1.1",
		"-node-type c1.huge":           `-node-type: no type "c1.huge" in the table of prices; it has c7g.`,
		"-edge-type c1.huge":           `-edge-type: no type "c1.huge"`,
		"-node-type t4g.micro":         "-node-type t4g.micro is too small for any connection of this load: node_by_memory = ",
		"-edge-type t4g.micro -heartbeat 1s -memory-use 0.4": "-edge-type t4g.micro is too small for any connection of this load: edge_by_memory = ",
		"-sise 3":            "flag provided but not defined: -sise",
		"1000000":            `only flags are taken, got "1000000"`,
		"-prices /none.json": "-prices: open /none.json: no such file or directory",
		"-prices " + prices:  "types.tiny: cores, memory_gib, gbit and addresses must be above 0",
	} {
		t.Run(args, func(t *testing.T) {
			err := Command(strings.Fields(args), io.Discard)
			require.Error(t, err)
			assert.Contains(t, err.Error(), want)
		})
	}
}

func TestPricesAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		`{`:            "prices: unexpected EOF",
		`{"typos": 1}`: `unknown field "typos"`,
		`{"internet": [{"to_gb_month": 10, "usd_gb": 1}]}`:                                                 "internet[0].to_gb_month must be above 0, and left out in the last one only; got 10",
		`{"internet": [{"to_gb_month": 10, "usd_gb": 1}, {"to_gb_month": 5, "usd_gb": 1}, {"usd_gb": 1}]}`: "internet[1].to_gb_month must be above 10",
		`{"types": {"a": {"cores": 1, "memory_gib": 1, "gbit": 1, "addresses": 1, "baseline": 2}}}`:        "types.a.baseline must be from 0 to 1, got 2",
	} {
		_, err := ParsePrices([]byte(text))
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
	}
}

func TestTrafficIsPricedByTiers(t *testing.T) {
	p := Prices{Internet: []Tier{{ToGBMonth: 100, USDGB: 0.1}, {ToGBMonth: 300, USDGB: 0.05}, {USDGB: 0.01}}}
	for gb, usd := range map[float64]float64{0: 0, 50: 5, 100: 10, 200: 15, 300: 20, 1300: 30} {
		assert.InDelta(t, usd, p.internetMonth(gb), 1e-9, "%v GB", gb)
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var out strings.Builder
	require.NoError(t, Command([]string{"-help"}, &out))
	for _, flag := range []string{"-connections", "-node-type", "-prices", "-json", "-formulas"} {
		assert.Contains(t, out.String(), flag)
	}
}
