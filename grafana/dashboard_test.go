// Package grafana_test holds dashboards and rules to their rules, and to the metrics that the programs really have.
package grafana_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type dashboard struct {
	UID          string `json:"uid"`
	Title        string `json:"title"`
	Timezone     string `json:"timezone"`
	GraphTooltip int    `json:"graphTooltip"`
	Editable     bool   `json:"editable"`
	Panels       []panel
	Templating   struct {
		List []struct {
			Name       string
			Type       string
			Query      any
			Datasource *datasource
		}
	}
}

type datasource struct{ Type, UID string }

type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	Datasource  datasource
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct {
		Defaults struct {
			Unit string
			Min  *float64
		}
	}
	Targets []struct {
		RefID        string
		Expr         string
		LegendFormat string
		Datasource   datasource
	}
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, json.Unmarshal(text, &d), file)
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = d
	}
	return all
}

func TestDashboards(t *testing.T) {
	for name, d := range dashboards(t) {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "wsfleet-"+name, d.UID, "links rely on a uid that follows from the file's name")
			assert.Equal(t, "utc", d.Timezone)
			assert.Equal(t, 1, d.GraphTooltip, "a shared crosshair")
			assert.False(t, d.Editable, "changes belong into this repository")

			variables := map[string]string{}
			for _, v := range d.Templating.List {
				variables[v.Name] = v.Type
				if v.Type == "query" {
					require.NotNil(t, v.Datasource, v.Name)
					assert.Equal(t, "${datasource}", v.Datasource.UID, v.Name)
				}
			}
			assert.Equal(t, map[string]string{"datasource": "datasource", "cluster": "query", "instance": "query"}, variables)

			ids, titles := map[int]bool{}, map[string]bool{}
			for i, p := range d.Panels {
				assert.False(t, ids[p.ID], "%s: id %d is there twice", p.Title, p.ID)
				ids[p.ID] = true
				if p.Type == "row" {
					continue
				}
				assert.False(t, titles[p.Title], "%q is there twice", p.Title)
				titles[p.Title] = true
				lintPanel(t, p)
				for _, q := range d.Panels[i+1:] {
					assert.False(t, overlap(p, q), "%s lies over %s", p.Title, q.Title)
				}
			}
		})
	}
}

func lintPanel(t *testing.T, p panel) {
	t.Helper()
	assert.NotEmpty(t, p.Title)
	assert.NotEmpty(t, p.Description, "%s: what it tells", p.Title)
	assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, "%s: a unit", p.Title)
	assert.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
	assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
	if p.Type == "timeseries" {
		assert.NotNil(t, p.FieldConfig.Defaults.Min, "%s: an axis that starts at zero", p.Title)
	}
	require.NotEmpty(t, p.Targets, p.Title)
	refs := map[string]bool{}
	for _, q := range p.Targets {
		assert.False(t, refs[q.RefID], "%s: two queries %s", p.Title, q.RefID)
		refs[q.RefID] = true
		assert.Equal(t, "${datasource}", q.Datasource.UID, p.Title)
		assert.Contains(t, q.Expr, `cluster=~"$cluster"`, "%s: every query keeps to the chosen cluster", p.Title)
		if p.Type == "timeseries" {
			assert.NotEmpty(t, q.LegendFormat, "%s: a legend", p.Title)
		}
		assert.False(t, regexp.MustCompile(`rate\([^)]*\[\d`).MatchString(q.Expr),
			"%s: a rate over $__rate_interval, which follows the scrape interval", p.Title)
	}
}

func overlap(a, b panel) bool {
	p, q := a.GridPos, b.GridPos
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}
