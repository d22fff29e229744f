package shots

import (
	"fmt"
	"math"
)

// calculations are the ways to make one number of a series, with the heading that a legend gives them.
var calculations = map[string]struct {
	heading string
	of      func(values []float64) float64 // of those that are numbers, at least one
}{
	"lastNotNull": {"Last", last}, "last": {"Last", last},
	"firstNotNull": {"First", first}, "first": {"First", first},
	"min":   {"Min", func(v []float64) float64 { return fold(v, math.Min) }},
	"max":   {"Max", func(v []float64) float64 { return fold(v, math.Max) }},
	"sum":   {"Total", total},
	"mean":  {"Mean", func(v []float64) float64 { return total(v) / float64(len(v)) }},
	"count": {"Count", func(v []float64) float64 { return float64(len(v)) }},
	"range": {"Range", func(v []float64) float64 { return fold(v, math.Max) - fold(v, math.Min) }},
	"diff":  {"Difference", func(v []float64) float64 { return last(v) - first(v) }},
}

func last(v []float64) float64  { return v[len(v)-1] }
func first(v []float64) float64 { return v[0] }
func total(v []float64) float64 { return fold(v, func(a, b float64) float64 { return a + b }) }

func fold(v []float64, f func(a, b float64) float64) float64 {
	acc := v[0]
	for _, x := range v[1:] {
		acc = f(acc, x)
	}
	return acc
}

// reduce makes one number of a series; NaN if the series has none.
func reduce(values []float64, calculation string) (float64, error) {
	c, ok := calculations[calculation]
	if !ok {
		return 0, fmt.Errorf("calculation %q is none of those that are known (lastNotNull, max, min, mean, sum)", calculation)
	}
	numbers := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			numbers = append(numbers, v)
		}
	}
	if len(numbers) == 0 {
		return math.NaN(), nil
	}
	return c.of(numbers), nil
}
