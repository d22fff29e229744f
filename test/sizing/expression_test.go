package sizing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormulas(t *testing.T) {
	values := map[string]float64{"a": 6, "b": 4, "hosts_2": 7}
	for formula, want := range map[string]float64{
		"a + b * 2":                   14,
		"(a + b) * 2":                 20,
		"a - b - 1":                   1,
		"a / b":                       1.5,
		"1e3 + 0.5":                   1000.5,
		"ceil(a / b) + 1":             3,
		"floor(a / b)":                1,
		"ceil(0.1 * 3 / 0.1)":         3, // 3.0000000000000004
		"floor(0.3 / 0.1)":            3, // 2.9999999999999996
		"min(a, b, 5)":                4,
		"max(a, b)":                   6,
		"when(a <= b, 1, 2)":          2,
		"when(b <= a, 1, 2)":          1,
		"max(hosts_2, when(a, 9, 1))": 9,
	} {
		got, err := evaluate(formula, values, basic)
		require.NoError(t, err, formula)
		assert.InDelta(t, want, got, 1e-9, formula)
	}
	for formula, want := range map[string]string{
		"a + c":       "nothing is called c",
		"a +":         "expected operand",
		"a % b":       "no operator %",
		"root(a)":     "no function root",
		"a.b":         "*ast.SelectorExpr has no place here",
		"ceil(a, b)":  "1 argument is needed, got 2",
		"when(a, b)":  "3 arguments are needed, got 2",
		"min()":       "arguments are needed",
		"1 / (a - 6)": "the result is +Inf",
	} {
		_, err := evaluate(formula, values, basic)
		require.Error(t, err, formula)
		assert.Contains(t, err.Error(), want, formula)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 11: "11", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", 1234.56: "1,235", 4.54: "4.54", 0.123456: "0.1235", 100.05: "100",
	} {
		assert.Equal(t, want, number(v))
	}
}

func TestArithmeticIsShownWithItsNumbers(t *testing.T) {
	s := newSheet()
	require.NoError(t, s.set("connections", 1e6))
	require.NoError(t, s.set("each", 100_000))
	require.NoError(t, s.work("Nodes", []rule{{"nodes", "hosts", "ceil(connections / each) + 1", ""}, {"spare", "", "1", ""}, {"n_1", "", "nodes - 1", ""}}))
	assert.Equal(t, "nodes = ceil(1,000,000 / 100,000) + 1 = 11 hosts", s.lines[0].String())
	assert.Equal(t, "spare = 1", s.lines[1].String())
	assert.Equal(t, "n_1 = 11 - 1 = 10", s.lines[2].String())
	assert.ErrorContains(t, s.work("Nodes", []rule{{"nodes", "", "1", ""}}), "nodes is given twice")
}
