package scenario

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// defaulter is an activity that is made with its defaults before its keys are read.
type defaulter interface{ SetDefaults() }

// decoder fills a value from a YAML tree and notes at which line each key stands.
// yaml.v3's own decoding knows no lines of values, and no keys near an unknown one.
type decoder struct{ lines map[string]int }

func (d *decoder) decode(n *yaml.Node, v reflect.Value, key string) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.lines[key] = n.Line
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if a, ok := v.Interface().(defaulter); ok {
			a.SetDefaults()
		}
		return d.decode(n, v.Elem(), key)
	case reflect.Struct:
		return d.mapping(n, key, func(name string, value *yaml.Node, path string) error {
			return d.field(v, name, value, path)
		})
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		return d.mapping(n, key, func(name string, value *yaml.Node, path string) error {
			item := reflect.New(v.Type().Elem()).Elem()
			err := d.decode(value, item, path)
			v.SetMapIndex(reflect.ValueOf(name), item)
			return err
		})
	case reflect.Slice:
		return d.list(n, v, key)
	}
	return scalar(n, v, key)
}

// mapping calls each with every key of n.
func (d *decoder) mapping(n *yaml.Node, key string, each func(name string, value *yaml.Node, path string) error) error {
	if n.Tag == "!!null" {
		return nil // "hold:" alone takes the defaults
	}
	if n.Kind != yaml.MappingNode {
		return problem(key, n.Value, "want keys and values")
	}
	var seen []string
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := strings.TrimPrefix(key+"."+name.Value, ".")
		d.lines[path] = name.Line
		if slices.Contains(seen, name.Value) {
			return problem(path, "", "is given twice")
		}
		seen = append(seen, name.Value)
		if err := each(name.Value, value, path); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) field(v reflect.Value, name string, value *yaml.Node, path string) error {
	names, fields := keys(v)
	if i := slices.Index(names, name); i >= 0 {
		return d.decode(value, fields[i], path)
	}
	if close := near(name, names); close != "" {
		return problem(path, "", "unknown key, did you mean "+close+"?")
	}
	return problem(path, "", "unknown key, want one of "+strings.Join(names, ", "))
}

// keys returns the keys of a struct with their fields, those of inline structs
// among them.
func keys(v reflect.Value) (names []string, fields []reflect.Value) {
	for i := range v.NumField() {
		tag, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			inner, values := keys(v.Field(i))
			names, fields = append(names, inner...), append(fields, values...)
		case tag != "-":
			names, fields = append(names, tag), append(fields, v.Field(i))
		}
	}
	return names, fields
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, key string) error {
	if n.Kind != yaml.SequenceNode {
		return problem(key, n.Value, "want a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		if err := d.decode(item, v.Index(i), fmt.Sprintf("%s[%d]", key, i)); err != nil {
			return err
		}
	}
	return nil
}

func scalar(n *yaml.Node, v reflect.Value, key string) error {
	want := ""
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return problem(key, n.Value, "want a single value")
	}
	text := n.Value
	switch v.Interface().(type) {
	case time.Duration:
		want = "want a duration such as 30s or 500ms"
		if x, err := time.ParseDuration(text); err == nil {
			v.SetInt(int64(x))
			want = ""
		}
	case string:
		v.SetString(text)
	case bool:
		want = "want true or false"
		if x, err := strconv.ParseBool(text); err == nil {
			v.SetBool(x)
			want = ""
		}
	case float64:
		want = "want a number"
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			v.SetFloat(x)
			want = ""
		}
	case int:
		want = "want a whole number"
		// 10_000 and 1e6 are whole numbers too.
		if x, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64); err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			v.SetInt(int64(x))
			want = ""
		}
	case uint64:
		want = "want a whole number from 0 on"
		if x, err := strconv.ParseUint(text, 10, 64); err == nil {
			v.SetUint(x)
			want = ""
		}
	}
	if want != "" {
		return problem(key, text, want)
	}
	return nil
}
