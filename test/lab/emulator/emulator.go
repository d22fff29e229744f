// Package emulator lists what the lab's AWS API gets wrong, for tests that must tell its mistakes from ours.
package emulator

import (
	"bytes"
	_ "embed"
	"fmt"

	"gopkg.in/yaml.v3"
)

//go:embed emulator.yaml
var list []byte

// Where a mistake shows.
const (
	InPlan = "drift" // a plan after an apply is not empty
	InAPI  = "api"   // a call fails or answers otherwise than AWS
)

// Drift is one thing the emulator gets wrong.
type Drift struct {
	Where     string `yaml:"where"`
	Resource  string `yaml:"resource"`
	Attribute string `yaml:"attribute"`
	Reason    string `yaml:"reason"`
}

// Known returns the whole list.
func Known() ([]Drift, error) { return parse(list) }

// KnownDrift returns what shows in a plan after an apply.
func KnownDrift() ([]Drift, error) {
	all, err := Known()
	if err != nil {
		return nil, err
	}
	var drift []Drift
	for _, d := range all {
		if d.Where == InPlan {
			drift = append(drift, d)
		}
	}
	return drift, nil
}

func parse(text []byte) ([]Drift, error) {
	var all []Drift
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("emulator.yaml: %w", err)
	}
	seen := map[Drift]bool{}
	for i, d := range all {
		key := Drift{Where: d.Where, Resource: d.Resource, Attribute: d.Attribute}
		switch {
		case d.Where != InPlan && d.Where != InAPI:
			return nil, fmt.Errorf("emulator.yaml: entry %d: where is %q, want %s or %s", i+1, d.Where, InPlan, InAPI)
		case d.Resource == "" || d.Attribute == "" || d.Reason == "":
			return nil, fmt.Errorf("emulator.yaml: entry %d (%s %s): resource, attribute and reason are all needed", i+1, d.Resource, d.Attribute)
		case seen[key]:
			return nil, fmt.Errorf("emulator.yaml: entry %d: %s %s is listed twice", i+1, d.Resource, d.Attribute)
		}
		seen[key] = true
	}
	return all, nil
}
