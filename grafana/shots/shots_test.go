package shots_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots"
	"github.com/wsfleet/wsfleet/test/browser"
)

var update = flag.Bool("update", false, "write the outline that TestRender finds into testdata")

// All that needs a Prometheus shares one, which takes seconds to start.
func TestRender(t *testing.T) {
	prom := prometheus(t)
	t.Run("the fleet's dashboard has data in every panel", func(t *testing.T) { testFleet(t, prom) })
	t.Run("panels of every type", func(t *testing.T) { testPanels(t, prom) })
	t.Run("variables", func(t *testing.T) { testVariables(t, prom) })
	t.Run("a failed query is named", func(t *testing.T) { testFailedQuery(t, prom) })
}

func render(t *testing.T, prom v1.API, dashboard string, options shots.Options) ([]byte, shots.Summary) {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	require.NoError(t, err)
	options.Start, options.End = start, end
	page, summary, err := shots.Render(t.Context(), prom, text, options)
	require.NoError(t, err)
	return page, summary
}

// show opens a page in a browser, which must find all it needs in it.
func show(t *testing.T, page []byte) *browser.Tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, page, 0o600))
	tab := browser.Open(t, "file://"+file)
	require.Equal(t, []string{"file://" + file}, tab.Requests, "the page wants more than itself")
	require.Empty(t, tab.Complaints)
	require.Equal(t, "0", tab.Eval("document.querySelectorAll('script').length"))
	return tab
}

func testFleet(t *testing.T, prom v1.API) {
	const file = "../dashboards/fleet.json"
	page, summary := render(t, prom, file, shots.Options{Annotations: []shots.Annotation{
		{Time: start.Add(18 * time.Minute), Text: "a node process killed"},
		{Time: end.Add(time.Hour), Text: "not in this picture"},
	}})
	var d struct {
		Panels []struct {
			Type    string
			Targets []struct{}
		}
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	want := shots.Summary{Queries: 1} // of the alerts
	for _, p := range d.Panels {
		if p.Type != "row" {
			want.Panels++
		}
		want.Queries += len(p.Targets)
	}
	assert.Equal(t, want, summary)

	tab := show(t, page)
	assert.Empty(t, misplaced(tab))
	assert.Equal(t, "wsfleet / Fleet", tab.Eval("document.title"))
	assert.Equal(t, "1 10:18:00 a node process killed\n2 10:18:15 ReconnectStorm i-0b02:8766",
		tab.Eval("[...document.querySelectorAll('.events li')].map(li => li.textContent).join('\\n')"))

	picture, err := shots.PNG(t.Context(), page, shots.DefaultWidth)
	require.NoError(t, err)
	image, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	assert.Equal(t, shots.DefaultWidth, image.Bounds().Dx())
	assert.Equal(t, tab.Eval("Math.ceil(document.documentElement.getBoundingClientRect().height)"), fmt.Sprint(image.Bounds().Dy()), "all of the page")
}

// outline is what a page shows, as text: for each panel how many there are of each kind of shape, and what is written.
const outline = `[...document.querySelectorAll('h1, h2.row, section')].map(e => {
	if (e.tagName !== 'SECTION') return e.textContent + '\n';
	const shapes = {};
	for (const s of e.querySelectorAll('svg [class]:not(text)')) shapes[s.getAttribute('class')] = (shapes[s.getAttribute('class')] || 0) + 1;
	for (const s of e.querySelectorAll('path.line')) shapes.runs = (shapes.runs || 0) + s.getAttribute('d').split('M').length - 1;
	const texts = [...e.querySelectorAll('svg text, p, h3, li, th, td')].map(t => t.textContent.trim());
	return e.querySelector('h2').textContent + ' (' + e.className + ')\n  ' +
		Object.entries(shapes).sort().map(([name, n]) => name + ' ' + n).join(', ') + '\n  ' + texts.join(' | ') + '\n';
}).join('\n')`

func testPanels(t *testing.T, prom v1.API) {
	page, summary := render(t, prom, "testdata/panels.json", shots.Options{})
	assert.Equal(t, []string{"Never a number", "Nothing"}, summary.Empty)
	tab := show(t, page)
	assert.Empty(t, misplaced(tab))

	got := tab.Eval(outline)
	const golden = "testdata/panels.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "if it is meant to be so: go test ./grafana/shots -run TestRender -update")
}

func testVariables(t *testing.T, prom v1.API) {
	const panel = `{"title": "v", "type": "text", "gridPos": {"w": 24, "h": 4}, "options": {"content": "$cluster ${node} ${node:text} [[size]]"}}`
	const dashboard = `{"title": "d", "panels": [` + panel + `], "templating": {"list": [
		{"name": "cluster", "type": "query", "query": "label_values(up, cluster)"},
		{"name": "node", "type": "query", "query": {"query": "label_values(wsnode_connections{cluster=\"$cluster\"}, instance)"},
			"multi": true, "includeAll": true, "regex": "/i-0b0[01].*/", "sort": 2, "current": {"value": %s}},
		{"name": "size", "type": "custom", "query": "small, large", "current": {"value": "large"}}]}}`
	for name, c := range map[string]struct {
		current string
		vars    map[string]string
		want    string
	}{
		"all, chosen by the dashboard": {`["$__all"]`, nil, `lab (i-0b01:8766|i-0b00:8766) All large`},
		"all, for want of a choice":    {`null`, nil, `lab (i-0b01:8766|i-0b00:8766) All large`},
		"one":                          {`"i-0b00:8766"`, nil, `lab i-0b00:8766 i-0b00:8766 large`},
		"one that is gone":             {`"i-9"`, nil, `lab (i-0b01:8766|i-0b00:8766) All large`},
		"given":                        {`["$__all"]`, map[string]string{"node": "i-0b02.*", "size": "tiny"}, `lab i-0b02.* i-0b02.* tiny`},
		"all, given":                   {`"i-0b00:8766"`, map[string]string{"node": "All"}, `lab (i-0b01:8766|i-0b00:8766) All large`},
		"no such cluster":              {`null`, map[string]string{"cluster": "none"}, `none () All large`},
	} {
		t.Run(name, func(t *testing.T) {
			page, _, err := shots.Render(t.Context(), prom, fmt.Appendf(nil, dashboard, c.current), shots.Options{Start: start, End: end, Vars: c.vars})
			require.NoError(t, err)
			assert.Contains(t, string(page), "<p>"+c.want+"\n</p>")
		})
	}
}

func testFailedQuery(t *testing.T, prom v1.API) {
	const dashboard = `{"title": "d", "panels": [{"title": "p", "type": "stat", "gridPos": {"w": 4, "h": 4}, "targets": [
		{"refId": "A", "expr": "1"}, {"refId": "B", "expr": "sum("}]}]}`
	_, _, err := shots.Render(t.Context(), prom, []byte(dashboard), shots.Options{Start: start, End: end})
	require.ErrorContains(t, err, `dashboard "d", panel "p": query B: sum(: `)
	require.ErrorContains(t, err, "parse error")
}

func TestPNGIsGivenUp(t *testing.T) {
	profiles := func() []string {
		found, err := filepath.Glob(filepath.Join(os.TempDir(), "chromium*"))
		require.NoError(t, err)
		return found
	}
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := shots.PNG(ctx, []byte("<p>"), 800)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, profiles(), "nothing is left behind")
}
