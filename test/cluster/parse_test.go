package cluster

import (
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/emulator"
)

func TestParseRecap(t *testing.T) {
	out := `
TASK [x : changed=9 is no recap] ***
i-0fake : ok=1 changed=9 unreachable=0 failed=0

PLAY RECAP *********************************************************************
i-0a1b2c3d                 : ok=12   changed=3    unreachable=0    failed=0    skipped=4    rescued=0    ignored=0
localhost                  : ok=1    changed=0    unreachable=1    failed=2    skipped=0    rescued=0    ignored=0
`
	require.Equal(t, []Recap{
		{Host: "i-0a1b2c3d", OK: 12, Changed: 3},
		{Host: "localhost", OK: 1, Unreachable: 1, Failed: 2},
	}, parseRecap(out))
	require.Empty(t, parseRecap("no recap here"))
}

func TestUnknownChanges(t *testing.T) {
	known := []emulator.Drift{{Resource: "aws_launch_template", Attribute: "tag_specifications"}}
	change := func(before, after map[string]any, actions ...tfjson.Action) *tfjson.ResourceChange {
		return &tfjson.ResourceChange{Type: "aws_launch_template", Change: &tfjson.Change{Actions: actions, Before: before, After: after}}
	}
	require.Empty(t, unknownChanges("x", change(nil, nil, tfjson.ActionNoop), known))
	require.Empty(t, unknownChanges("x", change(
		map[string]any{"tag_specifications": 1, "name": "a"}, map[string]any{"tag_specifications": 2, "name": "a"}, tfjson.ActionUpdate), known))
	require.Equal(t, []string{"x.name"}, unknownChanges("x", change(
		map[string]any{"tag_specifications": 1, "name": "a"}, map[string]any{"tag_specifications": 2, "name": "b"}, tfjson.ActionUpdate), known))
	require.Equal(t, []string{"x: [create]"}, unknownChanges("x", change(nil, map[string]any{"name": "a"}, tfjson.ActionCreate), known))
	require.Equal(t, []string{"x: [delete create]"}, unknownChanges("x", change(nil, nil, tfjson.ActionDelete, tfjson.ActionCreate), known),
		"a replacement is never known drift")
}
