package shots

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// mapping gives values a text and a colour.
type mapping struct {
	Type    string
	Options json.RawMessage
	values  map[string]mapped // type value
	from    *float64          // type range
	to      *float64
	match   string // type special
	within  mapped
}

type mapped struct{ Text, Color string }

func (m *mapping) complete() (err error) {
	var options struct {
		From, To *float64
		Match    string
		Result   mapped
	}
	switch m.Type {
	case "value":
		err = json.Unmarshal(m.Options, &m.values)
	case "range", "special":
		err = json.Unmarshal(m.Options, &options)
	default:
		return fmt.Errorf("mapping type %q: want value, range or special", m.Type)
	}
	if err != nil {
		return fmt.Errorf("mapping of type %s: %w", m.Type, err)
	}
	m.from, m.to, m.match, m.within = options.From, options.To, options.Match, options.Result
	for key, result := range m.values {
		if result.Color, err = optionalColor(result.Color); err != nil {
			return fmt.Errorf("mapping of %s: %w", key, err)
		}
		m.values[key] = result
	}
	m.within.Color, err = optionalColor(m.within.Color)
	return err
}

func optionalColor(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	return colorOf(name)
}

// result is what the mapping makes of a value, if it has it.
func (m *mapping) result(v float64) (mapped, bool) {
	switch m.Type {
	case "value":
		result, ok := m.values[strconv.FormatFloat(v, 'f', -1, 64)]
		return result, ok
	case "range":
		return m.within, (m.from == nil || v >= *m.from) && (m.to == nil || v <= *m.to) && !math.IsNaN(v)
	}
	switch m.match {
	case "nan", "null", "null+nan":
		return m.within, math.IsNaN(v)
	}
	return m.within, false
}
