package emulator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheListIsValid(t *testing.T) {
	all, err := Known()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	drift, err := KnownDrift()
	require.NoError(t, err)
	for _, d := range drift {
		require.Equal(t, InPlan, d.Where)
	}
}

func TestBadEntriesAreNamed(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"where":  {"- {where: plan, resource: r, attribute: a, reason: x}", `entry 1: where is "plan", want drift or api`},
		"reason": {"- {where: api, resource: r, attribute: a}", "entry 1 (r a): resource, attribute and reason are all needed"},
		"twice":  {"- {where: api, resource: r, attribute: a, reason: x}\n- {where: api, resource: r, attribute: a, reason: y}", "entry 2: r a is listed twice"},
		"key":    {"- {where: api, ressource: r}", "field ressource not found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(test.text))
			require.ErrorContains(t, err, test.want)
		})
	}
}
