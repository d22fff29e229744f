// Package unit writes values as Grafana does, by the names that a panel's "unit" has.
package unit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Auto stands for as many decimals as three significant digits need.
const Auto = -1

// step is one of the sizes a value is written in: 1000 and " K", 60 and " min".
type step struct {
	size   float64
	suffix string
}

// Unit is how values of one kind are written. The zero value writes bare numbers.
type Unit struct {
	prefix string
	factor float64 // brings a value to the size that steps speak of; 0 is 1
	steps  []step  // ascending
	ladder ladder
	words  func(v float64) string // in place of a number
}

// Format writes a value with its unit. decimals is Auto or how many there are.
func (u Unit) Format(v float64, decimals int) string {
	number, suffix := u.Parts(v, decimals)
	return number + suffix
}

// Parts is Format with the unit apart, for those who write it smaller. A space between the two belongs to the unit.
func (u Unit) Parts(v float64, decimals int) (number, suffix string) {
	switch {
	case u.words != nil:
		return u.words(v), ""
	case math.IsNaN(v):
		return "NaN", ""
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strings.Replace(strconv.FormatFloat(v, 'f', 0, 64), "Inf", "∞", 1), "+"), ""
	}
	v *= u.scale()
	s := u.stepFor(v)
	number = round(v/s.size, decimals)
	// What rounding has made 1000 is one of the next size.
	if back, err := strconv.ParseFloat(number, 64); err == nil {
		if next := u.stepFor(back * s.size); next != s {
			s = next
			number = round(v/s.size, decimals)
		}
	}
	return u.prefix + number, s.suffix
}

func (u Unit) scale() float64 {
	if u.factor == 0 {
		return 1
	}
	return u.factor
}

// stepFor is the largest step that fits into v; zero has the one of size 1.
func (u Unit) stepFor(v float64) step {
	if len(u.steps) == 0 {
		return step{size: 1}
	}
	best := u.steps[0]
	for _, s := range u.steps {
		if math.Abs(v) >= s.size || (v == 0 && s.size <= 1) {
			best = s
		}
	}
	return best
}

// smallest is what is written without an exponent.
const smallest = 1e-4

// round writes a number with so many decimals, or with three digits that matter and no zeros behind the point.
func round(x float64, decimals int) string {
	auto := decimals == Auto
	if auto && x != 0 && math.Abs(x) < smallest {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	if auto {
		decimals = 0
		if x != math.Trunc(x) {
			decimals = max(2-int(math.Floor(math.Log10(math.Abs(x)))), 0)
		}
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if auto && strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return text
}

// moment writes a time that is given in milliseconds since 1970.
func moment(ms float64) string {
	return time.UnixMilli(int64(ms)).UTC().Format(time.DateTime)
}

// length writes a time given in seconds with its two largest parts: 2 days 3 hours.
func length(s float64) string {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return strconv.FormatFloat(s, 'f', -1, 64)
	}
	var parts []string
	rest := math.Abs(s)
	for _, p := range []step{{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		n := math.Floor(rest / p.size)
		rest -= n * p.size
		if n == 0 || len(parts) == 2 {
			continue
		}
		plural := "s"
		if n == 1 {
			plural = ""
		}
		parts = append(parts, fmt.Sprintf("%.0f %s%s", n, p.suffix, plural))
	}
	if len(parts) == 0 {
		return Unit{steps: seconds}.Format(s, Auto)
	}
	if s < 0 {
		parts[0] = "-" + parts[0]
	}
	return strings.Join(parts, " ")
}
