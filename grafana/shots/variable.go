package shots

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// variable is one of the dashboard's.
type variable struct {
	Name       string
	Type       string
	Query      any // a text, or an object with the text in it
	Regex      string
	Sort       int
	Multi      bool
	IncludeAll bool
	AllValue   string
	Current    struct{ Value any }
}

// allText is how Grafana and its addresses call the choice of everything.
const allText, allValue = "All", "$__all"

var labelValues = regexp.MustCompile(`^\s*label_values\(\s*(?:(.*),)?\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\)\s*$`)

// resolve finds the values of all variables, one after the other: a query may use those before it.
func (r *renderer) resolve(ctx context.Context) error {
	known := []string{}
	for _, v := range r.dashboard.Templating.List {
		known = append(known, v.Name)
		if err := r.resolveOne(ctx, v); err != nil {
			return fmt.Errorf("variable %s: %w", v.Name, err)
		}
	}
	for name := range r.options.Vars {
		if !slices.Contains(known, name) {
			return fmt.Errorf("variable %q is set but the dashboard has only %q", name, known)
		}
	}
	return nil
}

func (r *renderer) resolveOne(ctx context.Context, v variable) error {
	given, isGiven := r.options.Vars[v.Name]
	if isGiven && given != allText && given != allValue {
		r.vars.set(v.Name, given, given)
		return nil
	}
	switch v.Type {
	case "datasource": // Options has it
		r.vars.set(v.Name, "prometheus", "")
	case "constant", "textbox", "interval":
		value, _, _ := strings.Cut(v.text(), ",")
		r.vars.set(v.Name, value, value)
	case "custom", "query":
		options, err := r.choices(ctx, v)
		if err != nil {
			return err
		}
		value, text := v.choose(options, isGiven)
		r.vars.set(v.Name, value, text)
	default:
		return fmt.Errorf("type %q: want query, custom, constant, textbox, interval or datasource", v.Type)
	}
	return nil
}

func (v *variable) text() string {
	switch q := v.Query.(type) {
	case string:
		return q
	case map[string]any:
		text, _ := q["query"].(string)
		return text
	}
	return ""
}

// choices are all values that a variable can have.
func (r *renderer) choices(ctx context.Context, v variable) ([]string, error) {
	if v.Type == "custom" {
		var options []string
		for _, o := range strings.Split(v.text(), ",") {
			options = append(options, strings.TrimSpace(o))
		}
		return options, nil
	}
	query, err := r.vars.expand(v.text())
	if err != nil {
		return nil, err
	}
	m := labelValues.FindStringSubmatch(query)
	if m == nil {
		return nil, fmt.Errorf("query %q: want label_values(selector, label)", query)
	}
	var selectors []string
	if m[1] != "" {
		selectors = []string{m[1]}
	}
	values, _, _, err := r.prometheus.LabelValues(ctx, m[2], selectors, r.start, r.end)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", query, err)
	}
	var options []string
	keep, err := regexp.Compile(strings.Trim(v.Regex, "/"))
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", v.Regex, err)
	}
	for _, value := range values {
		if m := keep.FindStringSubmatch(string(value)); m != nil && v.Regex != "" {
			options = append(options, m[len(m)-1])
		} else if v.Regex == "" {
			options = append(options, string(value))
		}
	}
	sortChoices(options, v.Sort)
	return slices.Compact(options), nil
}

// sortChoices follows Grafana's numbers: 1 and 2 by the alphabet, 3 and 4 by number, 5 and 6 without case; the even
// ones fall.
func sortChoices(options []string, how int) {
	switch how {
	case 1, 2:
		slices.Sort(options)
	case 3, 4:
		slices.SortFunc(options, func(a, b string) int {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
		})
	case 5, 6:
		slices.SortFunc(options, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	}
	if how > 0 && how%2 == 0 {
		slices.Reverse(options)
	}
}

// choose picks what Grafana would show: what the dashboard was saved with if that is still there, else everything if
// the variable has that, else the first. It returns the value for queries and the text for people.
func (v *variable) choose(options []string, all bool) (value, text string) {
	var current []string
	switch c := v.Current.Value.(type) {
	case string:
		current = []string{c}
	case []any:
		for _, one := range c {
			current = append(current, fmt.Sprint(one))
		}
	}
	all = all || slices.Contains(current, allValue)
	current = slices.DeleteFunc(current, func(c string) bool { return !slices.Contains(options, c) })
	many := v.Multi || v.IncludeAll
	switch {
	case all && v.AllValue != "":
		return v.AllValue, allText
	case all, len(current) == 0 && v.IncludeAll:
		if v.AllValue != "" {
			return v.AllValue, allText
		}
		return oneOf(options), allText
	case len(current) > 0 && many:
		return oneOf(current), strings.Join(current, " + ")
	case len(current) > 0:
		return current[0], current[0]
	case len(options) == 0:
		return "", "none"
	case many:
		return oneOf(options[:1]), options[0]
	}
	return options[0], options[0]
}

// oneOf is a regular expression for any of the values, as it stands between the quotes of a selector.
func oneOf(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(v), `\`, `\\`)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "(" + strings.Join(quoted, "|") + ")"
}
