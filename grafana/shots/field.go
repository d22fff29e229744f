package shots

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/grafana/shots/unit"
)

// fieldConfig is how a panel's values are shown, and what is different for some of them.
type fieldConfig struct {
	Defaults  json.RawMessage
	Overrides []override
}

type override struct {
	Matcher struct {
		ID      string
		Options any
	}
	Properties []struct {
		ID    string
		Value any
	}
}

// field is how the values of one series are shown.
type field struct {
	Unit        string
	Decimals    *int
	Min, Max    *float64
	DisplayName string
	NoValue     string
	Color       struct{ Mode, FixedColor string }
	Thresholds  struct {
		Mode  string
		Steps []threshold
	}
	Mappings []mapping
	Custom   custom
	unit     unit.Unit
}

type threshold struct {
	Value *float64 // nil: from below
	Color string
}

// custom is what only some types of panels know.
type custom struct {
	AxisLabel         string
	AxisPlacement     string
	AxisSoftMin       *float64
	AxisSoftMax       *float64
	DrawStyle         string
	LineWidth         *float64
	LineInterpolation string
	LineStyle         struct{ Fill string }
	FillOpacity       float64
	ShowPoints        string
	SpanNulls         any // a bool, or milliseconds
	Stacking          struct{ Mode string }
	ScaleDistribution struct{ Type string }
	ThresholdsStyle   struct{ Mode string }
	Width             float64
	Align             string
	CellOptions       struct{ Type string }
	HideFrom          struct{ Viz, Legend bool }
}

// field returns how the series of a name and a query is shown.
func (c *fieldConfig) field(name, refID string) (*field, error) {
	all := map[string]any{}
	if len(c.Defaults) > 0 {
		if err := json.Unmarshal(c.Defaults, &all); err != nil {
			return nil, fmt.Errorf("fieldConfig.defaults: %w", err)
		}
	}
	for _, o := range c.Overrides {
		ok, err := matches(o.Matcher.ID, o.Matcher.Options, name, refID)
		if err != nil {
			return nil, err
		}
		for _, p := range o.Properties {
			if ok {
				set(all, strings.Split(p.ID, "."), p.Value)
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	var f field
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("fieldConfig: %w", err)
	}
	return &f, f.complete()
}

// check refuses what no series could be shown with, each override by itself.
func (c *fieldConfig) check() error {
	if _, err := (&fieldConfig{Defaults: c.Defaults}).field("", ""); err != nil {
		return err
	}
	for _, o := range c.Overrides {
		if _, err := matches(o.Matcher.ID, o.Matcher.Options, "", ""); err != nil {
			return err
		}
		o.Matcher.ID, o.Matcher.Options = "byName", ""
		if _, err := (&fieldConfig{Defaults: c.Defaults, Overrides: []override{o}}).field("", ""); err != nil {
			return err
		}
	}
	return nil
}

func matches(matcher string, options any, name, refID string) (bool, error) {
	text, _ := options.(string)
	switch matcher {
	case "byName":
		return text == name, nil
	case "byFrameRefID":
		return text == refID, nil
	case "byRegexp":
		re, err := regexp.Compile(strings.Trim(text, "/"))
		return err == nil && re.MatchString(name), err
	}
	return false, fmt.Errorf("override matcher %q: want byName, byRegexp or byFrameRefID", matcher)
}

func set(in map[string]any, path []string, value any) {
	if len(path) == 1 {
		in[path[0]] = value
		return
	}
	inner, ok := in[path[0]].(map[string]any)
	if !ok {
		inner = map[string]any{}
		in[path[0]] = inner
	}
	set(inner, path[1:], value)
}

func (f *field) complete() (err error) {
	if f.unit, err = unit.Lookup(f.Unit); err != nil {
		return err
	}
	for i := range f.Thresholds.Steps {
		s := &f.Thresholds.Steps[i]
		if s.Color, err = colorOf(s.Color); err != nil {
			return fmt.Errorf("thresholds: %w", err)
		}
	}
	switch f.Color.Mode {
	case "", "thresholds", "palette-classic", "palette-classic-by-name":
	case "fixed":
		if f.Color.FixedColor, err = colorOf(f.Color.FixedColor); err != nil {
			return err
		}
	default:
		return fmt.Errorf("color mode %q: want thresholds, palette-classic or fixed", f.Color.Mode)
	}
	for i := range f.Mappings {
		if err := f.Mappings[i].complete(); err != nil {
			return err
		}
	}
	return nil
}

func (f *field) decimals() int {
	if f.Decimals == nil {
		return unit.Auto
	}
	return *f.Decimals
}

// thresholdColor is that of the last step that the value has reached, "" without steps.
func (f *field) thresholdColor(v float64) string {
	color := ""
	for _, s := range f.Thresholds.Steps {
		if s.Value == nil || v >= f.thresholdValue(*s.Value) {
			color = s.Color
		}
	}
	return color
}

// thresholdValue turns a threshold in percent of the range into a value.
func (f *field) thresholdValue(v float64) float64 {
	if f.Thresholds.Mode != "percentage" {
		return v
	}
	lo, hi := f.limits(nil)
	return lo + v/100*(hi-lo)
}

// limits are the smallest and largest value to expect: what the field says, else what the values say.
func (f *field) limits(values []float64) (lo, hi float64) {
	lo, hi = 0, 100
	if f.Unit == "percentunit" {
		hi = 1
	}
	if finite := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }); len(finite) > 0 {
		lo, hi = min(0, slices.Min(finite)), slices.Max(finite)
	}
	if f.Min != nil {
		lo = *f.Min
	}
	if f.Max != nil {
		hi = *f.Max
	}
	if hi <= lo {
		hi = lo + 1
	}
	return lo, hi
}

// shown is a value as it is shown.
type shown struct{ number, suffix, color string }

func (s shown) String() string { return s.number + s.suffix }

// show writes a value: by the mapping that has it, else with its unit. color is "" if nothing says one.
func (f *field) show(v float64) shown {
	s := shown{color: f.thresholdColor(v)}
	if f.Color.Mode == "fixed" {
		s.color = f.Color.FixedColor
	}
	s.number, s.suffix = f.unit.Parts(v, f.decimals())
	for _, m := range f.Mappings {
		if result, ok := m.result(v); ok {
			if result.Text != "" {
				s.number, s.suffix = result.Text, ""
			}
			if result.Color != "" {
				s.color = result.Color
			}
			break
		}
	}
	return s
}
