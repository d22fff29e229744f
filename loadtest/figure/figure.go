// Package figure writes numbers for people: the summary, the live view, the HTML
// report and comparisons all speak the same way.
package figure

import (
	"math"
	"strconv"
	"strings"
)

// Number writes whole numbers as such and others in full.
func Number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Count writes a whole number with a comma at each thousand.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, parts...), ",")
}

// Seconds writes a time given in seconds with three significant digits.
func Seconds(s float64) string {
	switch {
	case s == 0:
		return "0"
	case math.Abs(s) < 0.001:
		return strconv.FormatFloat(s*1e6, 'f', 0, 64) + "µs"
	case math.Abs(s) < 0.9995: // above it, three digits round to a second
		return strconv.FormatFloat(s*1e3, 'g', 3, 64) + "ms"
	case math.Abs(s) < 999.5:
		return strconv.FormatFloat(s, 'g', 3, 64) + "s"
	}
	return strconv.FormatFloat(s, 'f', 0, 64) + "s"
}

// Bytes writes a size in the binary unit that fits.
func Bytes(b float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for i < len(units)-1 && math.Abs(b) >= 1024 {
		b /= 1024
		i++
	}
	decimals := 1
	switch {
	case i == 0:
		decimals = 0
	case math.Abs(b) < 10:
		decimals = 2
	}
	return strconv.FormatFloat(b, 'f', decimals, 64) + " " + units[i]
}

// Rate writes so many a second: whole numbers from ten on.
func Rate(perSecond float64) string {
	if math.Abs(perSecond) >= 10 {
		return Count(int64(math.Round(perSecond))) + "/s"
	}
	return strconv.FormatFloat(perSecond, 'g', 3, 64) + "/s"
}

// Clock writes a time given in seconds as on a stopwatch: 0:42, 1:02:03.
func Clock(s float64) string {
	whole := int64(max(s, 0))
	h, m, sec := whole/3600, whole/60%60, whole%60
	two := func(n int64) string { return strconv.FormatInt(100+n, 10)[1:] }
	if h > 0 {
		return strconv.FormatInt(h, 10) + ":" + two(m) + ":" + two(sec)
	}
	return strconv.FormatInt(m, 10) + ":" + two(sec)
}
