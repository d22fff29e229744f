package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// File is a scenario as it was read, with the places of its keys.
type File struct {
	Scenario Scenario
	name     string
	lines    map[string]int // by key
}

// Load reads a scenario and fills in defaults. It is validated later, when the
// command line has had its say: see Explain.
func Load(name string) (*File, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("scenario %q: %w", name, err)
	}
	return Parse(name, b)
}

// yamlLine is what yaml.v3 puts before its errors.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// Parse is Load of what has been read.
func Parse(name string, b []byte) (*File, error) {
	f := &File{Scenario: Default(), name: name, lines: map[string]int{}}
	documents := yaml.NewDecoder(bytes.NewReader(b))
	var tree yaml.Node
	switch err := documents.Decode(&tree); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s:1: the file is empty, want a scenario", name)
	case err != nil:
		text := err.Error()
		line := "1"
		if m := yamlLine.FindStringSubmatch(text); m != nil && m[1] != "" {
			line = m[1]
		}
		return nil, fmt.Errorf("%s:%s: not YAML: %s", name, line, yamlLine.ReplaceAllString(text, ""))
	}
	var next yaml.Node
	if err := documents.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:%d: want one document", name, max(next.Line, 1))
	}
	d := decoder{lines: f.lines}
	if err := d.decode(tree.Content[0], reflect.ValueOf(&f.Scenario).Elem(), ""); err != nil {
		return nil, f.Explain(err)
	}
	if _, given := f.lines["connect.rate"]; len(f.Scenario.Connect.Steps) > 0 && !given {
		f.Scenario.Connect.Rate = 0 // the default is for a ramp without steps
	}
	return f, nil
}

// Explain says of a *Problem where in the file it is: "file:line: key: …". Other
// errors it returns as they are.
func (f *File) Explain(err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		return err
	}
	return fmt.Errorf("%s:%d: %w", f.name, f.line(p.Key), p)
}

// line is that of the key, or of the nearest one above it that the file has.
func (f *File) line(key string) int {
	for key != "" {
		if line, ok := f.lines[key]; ok {
			return line
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return max(f.lines[""], 1)
}
