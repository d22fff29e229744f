package shots

import (
	"math"

	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

// axis places values between a bottom and a top.
type axis struct {
	unit       unit.Unit
	lo, hi     float64
	log        bool
	ticks      []unit.Tick
	top, below float64 // pixels of hi and lo
}

// bounds are what is known of an axis before its ticks are.
type bounds struct {
	unit             unit.Unit
	log              bool
	min, max         *float64 // fixed
	softMin, softMax *float64 // at least
	lo, hi           float64  // of the data; lo > hi if there is none
}

// include widens the bounds for a value.
func (b *bounds) include(v float64) {
	if isNumber(v) && (!b.log || v > 0) {
		b.lo, b.hi = min(b.lo, v), max(b.hi, v)
	}
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// axis of so many pixels from top to below.
func (b bounds) axis(top, below float64) *axis {
	a := &axis{unit: b.unit, log: b.log, top: top, below: below, lo: b.lo, hi: b.hi}
	if a.lo > a.hi {
		a.lo, a.hi = 0, 1
	}
	if b.softMin != nil {
		a.lo = min(a.lo, *b.softMin)
	}
	if b.softMax != nil {
		a.hi = max(a.hi, *b.softMax)
	}
	if b.log {
		a.logTicks()
		return a
	}
	if b.min != nil {
		a.lo = *b.min
	}
	if b.max != nil {
		a.hi = *b.max
	}
	if a.hi <= a.lo { // all the same: let it be seen against zero
		a.lo, a.hi = min(a.lo, 0), max(a.hi, 0)
		if a.hi == a.lo {
			a.hi = a.lo + 1
		}
	}
	const betweenTicks = 36
	increment := b.unit.Increment((a.hi - a.lo) / max(math.Floor((below-top)/betweenTicks), 1))
	lo, hi := a.lo, a.hi
	if b.min == nil {
		a.lo = roundEdge(lo, math.Floor(lo/increment+1e-9)*increment, hi-lo)
	}
	if b.max == nil {
		a.hi = roundEdge(hi, math.Ceil(hi/increment-1e-9)*increment, hi-lo)
	}
	a.ticks = b.unit.Ticks(a.lo, a.hi, increment)
	return a
}

// roundEdge is where an axis ends whose data end at v: at the next tick, unless that would leave much of it unused.
func roundEdge(v, tick, span float64) float64 {
	if math.Abs(tick-v) <= 0.12*span {
		return tick
	}
	return v + math.Copysign(0.06*span, tick-v)
}

// logTicks are the powers of ten, few enough to be read.
func (a *axis) logTicks() {
	if a.lo <= 0 {
		a.lo = min(1, a.hi/10)
	}
	from, to := math.Floor(math.Log10(a.lo)), math.Ceil(math.Log10(a.hi))
	to = max(to, from+1)
	a.lo, a.hi = math.Pow(10, from), math.Pow(10, to)
	every := max(1, math.Ceil((to-from)*24/(a.below-a.top)))
	for e := from; e <= to; e += every {
		v := math.Pow(10, e)
		a.ticks = append(a.ticks, unit.Tick{Value: v, Label: a.unit.Format(v, unit.Auto)})
	}
}

// y is the pixel of a value.
func (a *axis) y(v float64) float64 {
	share := (v - a.lo) / (a.hi - a.lo)
	if a.log {
		share = (math.Log10(max(v, a.lo)) - math.Log10(a.lo)) / (math.Log10(a.hi) - math.Log10(a.lo))
	}
	return a.below - share*(a.below-a.top)
}

// zero is the pixel that areas stand on.
func (a *axis) zero() float64 { return a.y(min(max(0, a.lo), a.hi)) }
