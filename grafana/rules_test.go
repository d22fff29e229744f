package grafana_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

type rule struct {
	Record      string
	Alert       string
	Expr        string
	For         model.Duration
	Labels      map[string]string
	Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	files, err := filepath.Glob("rules/*.rules.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all []rule
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var content struct{ Groups []struct{ Rules []rule } }
		require.NoError(t, yaml.Unmarshal(text, &content), file)
		for _, g := range content.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

func TestRulesByPromtool(t *testing.T) {
	files, err := filepath.Glob("rules/*.rules.yml")
	require.NoError(t, err)
	edgetest.Command(t, "promtool", "prometheus", append([]string{"check", "rules"}, files...)...)
	tests, err := filepath.Glob("rules/*.test.yml")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	edgetest.Command(t, "promtool", "prometheus", append([]string{"test", "rules"}, tests...)...)
}

// Every alert tells what to do, and its unit test lets it fire.
func TestAlertsAreComplete(t *testing.T) {
	var tested strings.Builder
	tests, err := filepath.Glob("rules/*.test.yml")
	require.NoError(t, err)
	for _, file := range tests {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tested.Write(text)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		t.Run(r.Alert, func(t *testing.T) {
			assert.Positive(t, time.Duration(r.For))
			assert.Contains(t, []string{"critical", "warning"}, r.Labels["severity"])
			assert.NotEmpty(t, r.Annotations["summary"])
			assert.NotEmpty(t, r.Annotations["description"])
			runbook := "docs/runbooks/" + r.Alert + ".md"
			assert.True(t, strings.HasSuffix(r.Annotations["runbook_url"], "/"+runbook), r.Annotations["runbook_url"])
			assert.FileExists(t, filepath.Join("..", runbook))
			name := regexp.QuoteMeta(r.Alert)
			assert.Regexp(t, `alertname: `+name+`\n\s+eval_time: \w+\n\s+exp_alerts:\n\s+- exp_labels`, tested.String(), "a test in which it fires")
			assert.Regexp(t, `alertname: `+name+`, eval_time: \w+, exp_alerts: \[\]`, tested.String(), "a test in which it is silent")
		})
	}
}

func TestRecordingRulesAreNamed(t *testing.T) {
	for _, r := range rules(t) {
		if r.Record != "" {
			assert.Regexp(t, `^[a-z_]+:[a-z0-9_]+:[a-z0-9]+$`, r.Record, "level:metric:operation")
		}
	}
}
