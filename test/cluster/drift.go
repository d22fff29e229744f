package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"sort"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/wsfleet/wsfleet/test/lab/emulator"
)

// unknownChanges lists the attributes of a planned change that the emulator is not
// known to get wrong.
func unknownChanges(address string, rc *tfjson.ResourceChange, known []emulator.Drift) []string {
	c := rc.Change
	if c == nil || c.Actions.NoOp() || c.Actions.Read() {
		return nil
	}
	if !c.Actions.Update() {
		return []string{fmt.Sprintf("%s: %v", address, c.Actions)}
	}
	var unknown []string
	for _, attribute := range changedAttributes(c.Before, c.After, c.AfterUnknown) {
		isKnown := slices.ContainsFunc(known, func(d emulator.Drift) bool {
			return d.Resource == rc.Type && d.Attribute == attribute
		})
		if !isKnown {
			unknown = append(unknown, address+"."+attribute)
		}
	}
	return unknown
}

// changedAttributes compares the top level of a resource before and after.
func changedAttributes(before, after, afterUnknown any) []string {
	b, _ := before.(map[string]any)
	a, _ := after.(map[string]any)
	u, _ := afterUnknown.(map[string]any)
	var changed []string
	for key, value := range a {
		if !reflect.DeepEqual(value, b[key]) {
			changed = append(changed, key)
		}
	}
	// What is only known after the apply counts as derived when something else
	// changes, and as a change of its own when nothing does.
	if len(changed) == 0 {
		for key, v := range u {
			if v == true {
				changed = append(changed, key)
			}
		}
	}
	sort.Strings(changed)
	return changed
}
