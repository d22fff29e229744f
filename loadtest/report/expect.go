package report

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expectation is a comparison that a report must satisfy, such as
// "connected == 10000", "connected == planned" or "echo.p99 < 250ms".
type Expectation struct {
	Text  string
	Name  string // what is compared
	op    string
	other string // a name on the right, or empty
	value float64
}

// Outcome of an expectation.
type Outcome struct {
	Text  string  `json:"text"`
	Value float64 `json:"value"` // what was found on the left
	OK    bool    `json:"ok"`
}

var (
	expectationForm = regexp.MustCompile(`^\s*([a-z][a-z0-9_.]*)\s*(==|!=|<=|>=|<|>)\s*(\S+)\s*$`)
	// Classes exist once they have occurred; until then they are 0.
	classPrefixes = []string{"failures.", "closed.", "close_failures.", "reconnect_failures.", "stall_closed."}
)

// ParseExpectation reads one comparison: a name of the report, one of
// == != < <= > >=, and a number, a duration or another name.
func ParseExpectation(text string) (Expectation, error) {
	m := expectationForm.FindStringSubmatch(text)
	if m == nil {
		return Expectation{}, fmt.Errorf("%q: want <name> <operator> <value>, as in 'connected == 10000'", text)
	}
	e := Expectation{Text: strings.Join(m[1:], " "), Name: m[1], op: m[2]}
	known := (&Report{}).Metrics()
	if !isMetric(known, e.Name) {
		return Expectation{}, fmt.Errorf("%q: the report has no %q", text, e.Name)
	}
	if v, err := strconv.ParseFloat(m[3], 64); err == nil {
		e.value = v
	} else if d, err := time.ParseDuration(m[3]); err == nil {
		e.value = d.Seconds()
	} else if isMetric(known, m[3]) {
		e.other = m[3]
	} else {
		return Expectation{}, fmt.Errorf("%q: %q is no number, duration or name of the report", text, m[3])
	}
	return e, nil
}

func isMetric(known map[string]float64, name string) bool {
	_, ok := known[name]
	return ok || slices.ContainsFunc(classPrefixes, func(p string) bool {
		return strings.HasPrefix(name, p) && len(name) > len(p)
	})
}

// Check compares.
func (e Expectation) Check(metrics map[string]float64) Outcome {
	left, right := metrics[e.Name], e.value
	if e.other != "" {
		right = metrics[e.other]
	}
	ok := false
	switch e.op {
	case "==":
		ok = left == right
	case "!=":
		ok = left != right
	case "<":
		ok = left < right
	case "<=":
		ok = left <= right
	case ">":
		ok = left > right
	case ">=":
		ok = left >= right
	}
	return Outcome{Text: e.Text, Value: left, OK: ok}
}

// Override returns the defaults whose name has no expectation of its own among
// own, followed by own.
func Override(defaults, own []Expectation) []Expectation {
	var all []Expectation
	for _, d := range defaults {
		if !slices.ContainsFunc(own, func(e Expectation) bool { return e.Name == d.Name }) {
			all = append(all, d)
		}
	}
	return append(all, own...)
}
