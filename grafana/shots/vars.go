package shots

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// vars are the values of variables: for queries, and for people.
type vars struct {
	values, texts map[string]string
	order         []string // of the dashboard's own that people choose
}

func (v *vars) set(name, value, text string) {
	if v.values == nil {
		v.values, v.texts = map[string]string{}, map[string]string{}
	}
	v.values[name], v.texts[name] = value, text
	if text != "" {
		v.order = append(v.order, name)
	}
}

var reference = regexp.MustCompile(`\$([a-zA-Z_]\w*)|\$\{([a-zA-Z_]\w*)(?::(\w+))?\}|\[\[([a-zA-Z_]\w*)(?::(\w+))?\]\]`)

// expand puts the values of variables into a text: $name, ${name}, ${name:format}, [[name]].
func (v *vars) expand(text string) (string, error) {
	var failed error
	expanded := reference.ReplaceAllStringFunc(text, func(found string) string {
		m := reference.FindStringSubmatch(found)
		name, format := m[1]+m[2]+m[4], m[3]+m[5]
		value, ok := v.values[name]
		switch {
		case !ok:
			failed = fmt.Errorf("%s: there is no such variable", found)
		case format == "text":
			return v.texts[name]
		case format != "" && format != "regex" && format != "raw" && format != "pipe":
			failed = fmt.Errorf("%s: format %q: want regex, raw, pipe or text", found, format)
		}
		return value
	})
	return expanded, failed
}

// timed are the variables with Grafana's own of a query.
func (v *vars) timed(start, end time.Time, step, scrape time.Duration) *vars {
	all := vars{values: maps.Clone(v.values), texts: maps.Clone(v.texts)}
	span := end.Sub(start)
	// Grafana's: at least four scrapes, so that a rate has two samples even when one scrape fails.
	rate := max(step+scrape, 4*scrape)
	for name, value := range map[string]string{
		"__interval": model.Duration(step).String(), "__interval_ms": millis(step),
		"__rate_interval": model.Duration(rate).String(), "__rate_interval_ms": millis(rate),
		"__range": model.Duration(span.Round(time.Second)).String(), "__range_ms": millis(span),
		"__range_s": strconv.Itoa(int(span.Round(time.Second).Seconds())),
		"__from":    strconv.FormatInt(start.UnixMilli(), 10), "__to": strconv.FormatInt(end.UnixMilli(), 10),
	} {
		all.set(name, value, value)
	}
	return &all
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
