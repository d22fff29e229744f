package sizing

import (
	"fmt"
	"maps"
	"regexp"
)

// Line is one step of the arithmetic.
type Line struct {
	Section string  `json:"section"`
	Name    string  `json:"name"`
	Formula string  `json:"formula"` // with names
	Numbers string  `json:"numbers"` // the same with their values
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Means   string  `json:"means"`
}

// rule is a line before it is worked out.
type rule struct{ name, unit, formula, means string }

// sheet works out lines in their order; each may use those before it.
type sheet struct {
	values    map[string]float64
	functions map[string]function
	lines     []Line
}

func newSheet() *sheet {
	return &sheet{values: map[string]float64{}, functions: maps.Clone(basic)}
}

// set gives a value to a name that is not worked out. Names are given once.
func (s *sheet) set(name string, v float64) error {
	if _, twice := s.values[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	s.values[name] = v
	return nil
}

// work adds the rules of a section.
func (s *sheet) work(section string, rules []rule) error {
	for _, r := range rules {
		v, err := evaluate(r.formula, s.values, s.functions)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		numbers := s.numbers(r.formula)
		if err := s.set(r.name, v); err != nil {
			return err
		}
		s.lines = append(s.lines, Line{
			Section: section, Name: r.name, Formula: r.formula, Numbers: numbers, Value: v, Unit: r.unit, Means: r.means,
		})
	}
	return nil
}

var word = regexp.MustCompile(`[a-z_]+[a-z_0-9]*|[0-9][0-9_.e]*`)

// numbers writes a formula with values in place of names.
func (s *sheet) numbers(formula string) string {
	return word.ReplaceAllStringFunc(formula, func(w string) string {
		if v, ok := s.values[w]; ok {
			return number(v)
		}
		return w
	})
}

// why shows how a line came about.
func (s *sheet) why(name string) string {
	for _, l := range s.lines {
		if l.Name == name {
			return l.String()
		}
	}
	return name
}

// String is the line's arithmetic: name = numbers = value unit.
func (l Line) String() string {
	value := withUnit(l.Value, l.Unit)
	if l.Numbers == number(l.Value) {
		return l.Name + " = " + value
	}
	return l.Name + " = " + l.Numbers + " = " + value
}
