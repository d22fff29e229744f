package unit

import (
	"math"
	"strconv"
)

// Tick is a place on an axis that gets a label.
type Tick struct {
	Value float64
	Label string
}

// ladder is the kind of round numbers that suit a unit.
type ladder int

const (
	ladderDecimal ladder = iota
	ladderBinary
	ladderTime
)

// timeIncrements are the distances between ticks, in seconds, that clocks have accustomed us to.
var timeIncrements = []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400}

// Increment is the smallest round distance between ticks that is not below rough. Both are values of the unit.
func (u Unit) Increment(rough float64) float64 {
	rough *= u.scale()
	found := decimalIncrement(rough)
	switch {
	case u.ladder == ladderBinary && rough >= 1:
		found = math.Exp2(math.Ceil(math.Log2(rough) - 1e-9))
	case u.ladder == ladderTime && rough > 86400:
		found = 86400 * decimalIncrement(rough/86400)
	case u.ladder == ladderTime && rough > 1:
		for _, found = range timeIncrements {
			if found >= rough*(1-1e-9) {
				break
			}
		}
	}
	return found / u.scale()
}

func decimalIncrement(rough float64) float64 {
	magnitude := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*magnitude >= rough*(1-1e-9) {
			return m * magnitude
		}
	}
	return 10 * magnitude
}

// Ticks are the multiples of an increment from lo to hi. All are written in the same size and with the same decimals,
// as few as tell them apart.
func (u Unit) Ticks(lo, hi, increment float64) []Tick {
	largest := max(math.Abs(lo), math.Abs(hi)) * u.scale()
	s := u.stepFor(largest)
	// A size that its ticks are a small part of would need many decimals: 999.5 K is better than 0.9995 Mil.
	for i := len(u.steps) - 1; i > 0 && u.ladder != ladderTime; i-- {
		if u.steps[i] == s && increment*u.scale() < s.size/20 {
			s = u.steps[i-1]
		}
	}
	decimals := decimalsOf(increment * u.scale() / s.size)
	var ticks []Tick
	for i := math.Ceil(lo/increment - 1e-6); i*increment <= hi+increment*1e-6; i++ {
		v := i * increment
		label := u.prefix + strconv.FormatFloat(v*u.scale()/s.size, 'f', decimals, 64) + s.suffix
		if increment*u.scale()/s.size < smallest {
			label = u.prefix + strconv.FormatFloat(v*u.scale()/s.size, 'g', 3, 64) + s.suffix
		}
		if u.words != nil || i == 0 {
			v += 0 // no negative zero
			label = u.Format(v, Auto)
		}
		ticks = append(ticks, Tick{Value: v, Label: label})
	}
	return ticks
}

// decimalsOf is how many decimals a number needs to be written in full.
func decimalsOf(x float64) int {
	for d := range 6 {
		shifted := x * math.Pow(10, float64(d))
		if math.Abs(shifted-math.Round(shifted)) < 1e-6*max(1, shifted) {
			return d
		}
	}
	return 6
}
