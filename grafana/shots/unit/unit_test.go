package unit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

func lookup(t *testing.T, name string) unit.Unit {
	t.Helper()
	u, err := unit.Lookup(name)
	require.NoError(t, err)
	return u
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit     string
		v        float64
		decimals int
		want     string
	}{
		{"short", 0, unit.Auto, "0"},
		{"short", 12.345, unit.Auto, "12.3"},
		{"short", 0.012345, unit.Auto, "0.0123"},
		{"none", 1.23456e-9, unit.Auto, "1.23e-09"},
		{"short", 9.9999, unit.Auto, "10"},
		{"short", 999_999, unit.Auto, "1 Mil"},
		{"short", 1_003_600, 0, "1 Mil"},
		{"short", 1_003_600, 2, "1.00 Mil"},
		{"short", -1234, unit.Auto, "-1.23 K"},
		{"short", -0.0001, 1, "0.0"},
		{"none", 1234567, unit.Auto, "1234567"},
		{"percent", 12.5, unit.Auto, "12.5%"},
		{"percentunit", 0.999, unit.Auto, "99.9%"},
		{"bytes", 0, unit.Auto, "0 B"},
		{"bytes", 1536, unit.Auto, "1.5 KiB"},
		{"bytes", 1048575, unit.Auto, "1 MiB"},
		{"decbytes", 1500, unit.Auto, "1.5 kB"},
		{"s", 0, unit.Auto, "0 s"},
		{"s", 0.00042, unit.Auto, "420 µs"},
		{"s", 0.9999, unit.Auto, "1 s"},
		{"s", 90, unit.Auto, "1.5 min"},
		{"s", 7200, unit.Auto, "2 hour"},
		{"s", 1e-12, unit.Auto, "0.001 ns"},
		{"ms", 1500, unit.Auto, "1.5 s"},
		{"cps", 1234, unit.Auto, "1.23K c/s"},
		{"reqps", 12, unit.Auto, "12 req/s"},
		{"ops", 0.5, unit.Auto, "0.5 ops/s"},
		{"Bps", 2e6, unit.Auto, "2 MB/s"},
		{"suffix:conn", 5, unit.Auto, "5 conn"},
		{"prefix:$", 5, 2, "$5.00"},
		{"si:Wh", 5000, unit.Auto, "5 kWh"},
		{"bool", 1, unit.Auto, "True"},
		{"dtdurations", 93784, unit.Auto, "1 day 2 hours"},
		{"dateTimeAsIso", 0, unit.Auto, "1970-01-01 00:00:00"},
		{"s", math.NaN(), unit.Auto, "NaN"},
		{"s", math.Inf(-1), unit.Auto, "-∞"},
	} {
		assert.Equal(t, c.want, lookup(t, c.unit).Format(c.v, c.decimals), "%v %s", c.v, c.unit)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		unit         string
		lo, hi, each float64
		want         string
	}{
		{"short", 0, 1e6, 250e3, "0|0.25 Mil|0.50 Mil|0.75 Mil|1.00 Mil"},
		{"short", 999_000, 1_000_000, 500, "999.0 K|999.5 K|1000.0 K"},
		{"none", 0, 2e-12, 1e-12, "0|1e-12|2e-12"},
		{"short", 0, 2000, 500, "0|0.5 K|1.0 K|1.5 K|2.0 K"},
		{"short", -1, 1, 0.5, "-1.0|-0.5|0|0.5|1.0"},
		{"bytes", 0, 4 << 30, 1 << 30, "0 B|1 GiB|2 GiB|3 GiB|4 GiB"},
		{"s", 0, 0.5, 0.1, "0 s|100 ms|200 ms|300 ms|400 ms|500 ms"},
		{"percentunit", 0, 1, 0.25, "0%|25%|50%|75%|100%"},
		{"bool", 0, 1, 1, "False|True"},
	} {
		var labels []string
		for _, tick := range lookup(t, c.unit).Ticks(c.lo, c.hi, c.each) {
			labels = append(labels, tick.Label)
		}
		assert.Equal(t, c.want, strings.Join(labels, "|"), c.unit)
	}
}

func TestIncrement(t *testing.T) {
	for _, c := range []struct {
		unit        string
		rough, want float64
	}{
		{"short", 1, 1}, {"short", 1.1, 2}, {"short", 2.1, 2.5}, {"short", 260, 500}, {"short", 0.07, 0.1},
		{"bytes", 1000, 1024}, {"bytes", 3 << 20, 4 << 20}, {"bytes", 0.3, 0.5},
		{"s", 0.03, 0.05}, {"s", 31, 60}, {"s", 4000, 7200}, {"s", 100_000, 172_800},
		{"ms", 31_000, 60_000}, {"percentunit", 0.11, 0.2},
	} {
		assert.InDelta(t, c.want, lookup(t, c.unit).Increment(c.rough), c.want/1e9, "%v %s", c.rough, c.unit)
	}
}

func TestLookupRefuses(t *testing.T) {
	for _, name := range []string{"furlongs", "suffix:", "currencyUSD"} {
		_, err := unit.Lookup(name)
		assert.ErrorContains(t, err, `unit "`+name+`"`)
	}
}
