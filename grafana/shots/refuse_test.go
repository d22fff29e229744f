package shots_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots"
)

// A dashboard that cannot be drawn as Grafana would is refused, by the name of what is wrong.
func TestRenderRefuses(t *testing.T) {
	const good = `{"title": "d", "panels": [{"title": "p", "type": "stat", "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4},
		"fieldConfig": {"defaults": {"unit": "short"}}, "options": {}, "targets": [{"refId": "A", "expr": "1"}]}]}`
	change := func(from, to string) string {
		require.Contains(t, good, from)
		return strings.Replace(good, from, to, 1)
	}
	for name, c := range map[string]struct{ dashboard, want string }{
		"no JSON":         {`{"title": `, "dashboard: unexpected end of JSON input"},
		"no title":        {`{}`, "dashboard: title is missing"},
		"a wrong type":    {`{"title": 7}`, "cannot unmarshal number"},
		"unknown type":    {change(`"stat"`, `"piechart"`), `dashboard "d", panel "p": type "piechart": want one of timeseries, stat`},
		"off the grid":    {change(`"x": 0`, `"x": 21`), `panel "p": gridPos {H:4 W:4 X:21 Y:0} lies outside the grid of 24 columns`},
		"no grid":         {change(`"w": 4, "h": 4`, `"w": 4`), `panel "p": gridPos {H:0 W:4 X:0 Y:0}`},
		"no query":        {change(`"expr": "1"`, `"expr": ""`), `panel "p": query A: expr is missing`},
		"unknown unit":    {change(`"short"`, `"furlongs"`), `dashboard "d", panel "p": unit "furlongs" is none of those that are known`},
		"unknown color":   {change(`"unit": "short"`, `"thresholds": {"steps": [{"color": "pinkish"}]}`), `panel "p": thresholds: color "pinkish" is neither`},
		"unknown mode":    {change(`"unit": "short"`, `"color": {"mode": "shades"}`), `panel "p": color mode "shades": want thresholds, palette-classic or fixed`},
		"unknown mapping": {change(`"unit": "short"`, `"mappings": [{"type": "regex"}]`), `panel "p": mapping type "regex": want value, range or special`},
		"unknown matcher": {change(`"defaults"`, `"overrides": [{"matcher": {"id": "byType"}}], "defaults"`), `panel "p": override matcher "byType": want byName`},
		"wrong override":  {change(`"defaults"`, `"overrides": [{"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "unit", "value": "ells"}]}], "defaults"`), `panel "p": unit "ells"`},
		"repeated":        {change(`"options"`, `"repeat": "node", "options"`), `panel "p": repeat "node"`},
		"another time":    {change(`"options"`, `"timeFrom": "1h", "options"`), `panel "p": timeFrom "1h"`},
		"unknown var":     {change(`"expr": "1"`, `"expr": "up{a=\"$b\"}"`), `dashboard "d", panel "p": query A: $b: there is no such variable`},
		"unknown var's":   {`{"title": "d", "templating": {"list": [{"name": "v", "type": "adhoc"}]}}`, `dashboard "d": variable v: type "adhoc": want query`},
		"unknown choices": {`{"title": "d", "templating": {"list": [{"name": "v", "type": "query", "query": "metrics(.*)"}]}}`, `dashboard "d": variable v: query "metrics(.*)": want label_values`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := shots.Render(t.Context(), nil, []byte(c.dashboard), shots.Options{})
			require.ErrorContains(t, err, c.want)
		})
	}

	now := time.Now()
	for name, c := range map[string]struct {
		options shots.Options
		want    string
	}{
		"start after end": {shots.Options{Start: now, End: now.Add(-time.Hour)}, "is not before end"},
		"too narrow":      {shots.Options{Width: 100}, "width 100: a page needs 600 pixels or more"},
		"no such var":     {shots.Options{Vars: map[string]string{"node": "a"}}, `dashboard "d": variable "node" is set but the dashboard has only []`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := shots.Render(t.Context(), nil, []byte(good), c.options)
			require.ErrorContains(t, err, c.want)
		})
	}
}
