package sizing

import (
	"math"
	"strconv"
	"strings"
)

// number writes a value as people read it: whole numbers with commas, others with four significant digits.
func number(v float64) string {
	if a := math.Abs(v); a >= 1000 || v == math.Trunc(v) {
		return commas(strconv.FormatFloat(math.Round(v), 'f', 0, 64))
	}
	return strconv.FormatFloat(rounded(v), 'f', -1, 64)
}

// withUnit writes a value and its unit, if it has one.
func withUnit(v float64, unit string) string {
	if unit == "" || strings.HasPrefix(unit, "/") {
		return number(v) + unit
	}
	return number(v) + " " + unit
}

// rounded keeps four significant digits.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return r
}

func commas(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
