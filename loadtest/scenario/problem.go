package scenario

import (
	"fmt"
	"regexp"
	"strings"
)

// Problem is a value that can't be used.
type Problem struct {
	Key  string // path of it, as in "phases[0].echo.size"; empty for the whole
	Got  string // as it was given; empty if nothing was
	Want string // may name other keys as {publish.urls}
}

// Error speaks of a file without lines; see File.Explain for those with.
func (p *Problem) Error() string {
	text := p.Want
	if p.Got != "" {
		text += " (got " + p.Got + ")"
	}
	return strings.TrimPrefix(p.Key+": "+namesAsTheyAre(text), ": ")
}

func problem(key string, got any, want string) *Problem {
	text := fmt.Sprint(got)
	if s, ok := got.(string); ok {
		text = fmt.Sprintf("%q", s)
	}
	return &Problem{key, text, want}
}

var (
	otherKey = regexp.MustCompile(`\{([a-z_]+(?:\.[a-z_]+)*)\}`)
	index    = regexp.MustCompile(`\[\d+\]`)
)

func namesAsTheyAre(text string) string { return otherKey.ReplaceAllString(text, "$1") }

// AsFlag says it of flags: "-echo-size 10: want 64 to …". flags are named by keys
// without indices; a key that has none is named as in a file.
func (p *Problem) AsFlag(flags map[string]string) string {
	name := func(key string) string {
		key = index.ReplaceAllString(key, "")
		if f, ok := flags[key]; ok {
			return "-" + f
		}
		if mapping, _, _ := strings.Cut(key, "."); flags[mapping] != "" { // as in headers.Origin
			return "-" + flags[mapping]
		}
		return key
	}
	want := otherKey.ReplaceAllStringFunc(p.Want, func(s string) string { return name(s[1 : len(s)-1]) })
	if p.Key == "" {
		return want
	}
	return strings.TrimSpace(name(p.Key)+" "+p.Got) + ": " + want
}
