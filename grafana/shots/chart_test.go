package shots_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/grafana/shots"
	"github.com/wsfleet/wsfleet/grafana/shots/svg"
)

func itoa(n int) string { return strconv.Itoa(n) }

func svgWidth(text string) float64 { return svg.Width(text, 100) }

func atof(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

// steps is a series of n samples, one a second, that rises.
func steps(n int) shots.Series {
	s := shots.Series{Name: "steps"}
	for i := range n {
		s.Times = append(s.Times, start.Add(time.Duration(i)*time.Second))
		s.Values = append(s.Values, float64(i))
	}
	return s
}

// with is the series with some values in place of its own.
func with(s shots.Series, value float64, at ...int) shots.Series {
	for _, i := range at {
		s.Values[i] = value
	}
	return s
}

// drawn is what an SVG shows: its texts by class, how many elements there are of a class, and in how many runs lines
// are drawn.
type drawn struct {
	texts map[string][]string
	count map[string]int
	runs  int
	words string
}

func read(t *testing.T, file []byte) drawn {
	t.Helper()
	d := drawn{texts: map[string][]string{}, count: map[string]int{}}
	decoder := xml.NewDecoder(strings.NewReader(string(file)))
	class := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
				assert.NotContains(t, a.Value, "NaN", "%s of %s", a.Name.Local, e.Name.Local)
				assert.NotContains(t, a.Value, "Inf", "%s of %s", a.Name.Local, e.Name.Local)
			}
			class = e.Name.Local + "." + attr["class"]
			d.count[class]++
			if class == "path.line" {
				d.runs += strings.Count(attr["d"], "M")
			}
			if e.Name.Local == "svg" {
				d.words = attr["aria-label"]
			}
		case xml.CharData:
			d.texts[class] = append(d.texts[class], string(e))
		}
	}
}

func TestChart(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		series      []shots.Series
		lines, dots int
		runs        int
		words       string
	}{
		"no series":              {nil, 0, 0, 0, "c: "},
		"no sample":              {[]shots.Series{steps(0)}, 0, 0, 0, "c: steps no data"},
		"one sample":             {[]shots.Series{with(steps(1), 5, 0)}, 0, 1, 0, "c: steps 5"},
		"two samples":            {[]shots.Series{steps(2)}, 1, 0, 1, "c: steps 1"},
		"many samples":           {[]shots.Series{steps(50_000)}, 1, 0, 1, "c: steps 49999"},
		"nothing but NaN":        {[]shots.Series{with(steps(3), nan, 0, 1, 2)}, 0, 0, 0, "c: steps no data"},
		"nothing but infinity":   {[]shots.Series{with(steps(3), inf, 0, 1, 2)}, 0, 0, 0, "c: steps ∞"},
		"a gap":                  {[]shots.Series{with(steps(10), nan, 4)}, 1, 0, 2, "c: steps 9"},
		"a sample between gaps":  {[]shots.Series{with(steps(10), nan, 3, 5)}, 1, 1, 2, "c: steps 9"},
		"infinity is a gap":      {[]shots.Series{with(steps(10), inf, 4)}, 1, 0, 2, "c: steps 9"},
		"always zero":            {[]shots.Series{with(steps(3), 0, 0, 1, 2)}, 1, 0, 1, "c: steps 0"},
		"below zero":             {[]shots.Series{with(steps(3), -7, 0, 1, 2)}, 1, 0, 1, "c: steps -7"},
		"larger than all others": {[]shots.Series{with(steps(3), 1e300, 1)}, 1, 0, 1, "c: steps 2"},
		"smaller than all":       {[]shots.Series{with(steps(2), 1e-12, 0, 1)}, 1, 0, 1, "c: steps 1e-12"},
		"two series":             {[]shots.Series{steps(5), with(steps(9), nan, 2)}, 2, 0, 3, "c: steps 4, steps 8"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := shots.Chart{Title: "c", Series: c.series}.SVG()
			require.NoError(t, err)
			d := read(t, file)
			assert.Equal(t, c.lines, d.count["path.line"], "lines")
			assert.Equal(t, c.dots, d.count["circle.dot"], "dots")
			assert.Equal(t, c.runs, d.runs, "runs")
			assert.Equal(t, c.words, d.words)
			if c.lines+c.dots == 0 {
				assert.Contains(t, d.texts["text."], "No data")
				return
			}
			ticks := d.texts["text.tick"]
			assert.GreaterOrEqual(t, len(ticks), 2, "an axis has two labels or more")
			seen := map[string]bool{}
			for _, label := range append(ticks, d.texts["text.time"]...) {
				assert.False(t, seen[label], "%q is there twice", label)
				seen[label] = true
			}
			assert.Less(t, len(file), 1_200_000)
		})
	}
}

func TestChartTellsTimes(t *testing.T) {
	c := shots.Chart{Title: "c", Unit: "bytes", Start: start, End: start.Add(10 * time.Minute), Series: []shots.Series{steps(100)}, Annotations: []shots.Annotation{
		{Time: start.Add(3 * time.Minute), Text: "a node process killed"},
		{Time: start.Add(3*time.Minute + time.Second), Text: "Redis restarted & <well>"},
		{Time: start.Add(time.Hour), Text: "later"},
	}}
	file, err := c.SVG()
	require.NoError(t, err)
	d := read(t, file)
	assert.Equal(t, []string{"10:00", "10:01", "10:02", "10:03", "10:04", "10:05", "10:06", "10:07", "10:08", "10:09", "10:10"}, d.texts["text.time"])
	assert.Equal(t, []string{"a node process killed", "Redis restarted & <well>"}, d.texts["text.flag"])
	assert.Equal(t, []string{"0 B", "32 B", "64 B", "96 B"}, d.texts["text.tick"])

	c.Elapsed = true
	file, err = c.SVG()
	require.NoError(t, err)
	assert.Equal(t, "0:00 1:00 2:00", strings.Join(read(t, file).texts["text.time"][:3], " "))
}

func TestChartStacks(t *testing.T) {
	c := shots.Chart{Title: "c", Stack: true, Fill: 0.5, Series: []shots.Series{with(steps(2), 3, 0, 1), with(steps(2), 4, 0, 1)}}
	file, err := c.SVG()
	require.NoError(t, err)
	d := read(t, file)
	top := d.texts["text.tick"][len(d.texts["text.tick"])-1]
	assert.Equal(t, "7", top, "the axis ends at the sum")
	assert.Equal(t, "c: steps 3, steps 4", d.words, "the legend has what each one has")
}

func TestChartRefuses(t *testing.T) {
	short := steps(3)
	short.Values = short.Values[:2]
	for want, c := range map[string]shots.Chart{
		`chart "c", series "steps": 3 times but 2 values`:                  {Title: "c", Series: []shots.Series{short}},
		`chart "c", series "steps": 4 values do not stack on 3 of "steps"`: {Title: "c", Stack: true, Series: []shots.Series{steps(3), steps(4)}},
		`chart "c": unit "furlongs" is none of those that are known`:       {Title: "c", Unit: "furlongs"},
	} {
		_, err := c.SVG()
		require.ErrorContains(t, err, want)
	}
}

// Times of every length get labels that can be told apart and do not touch.
func TestTimeAxes(t *testing.T) {
	for _, length := range []time.Duration{time.Second, 7 * time.Second, time.Minute, 7 * time.Minute, time.Hour, 5 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour, 400 * 24 * time.Hour} {
		for _, elapsed := range []bool{false, true} {
			for _, width := range []int{240, 960} {
				t.Run(fmt.Sprint(length, elapsed, width), func(t *testing.T) {
					s := shots.Series{Name: "s", Times: []time.Time{start, start.Add(length)}, Values: []float64{1, 2}}
					file, err := shots.Chart{Title: "c", Series: []shots.Series{s}, Elapsed: elapsed, Width: width}.SVG()
					require.NoError(t, err)
					labels := read(t, file).texts["text.time"]
					require.NotEmpty(t, labels)
					total := 0.0
					for i, label := range labels {
						total += svg.Width(label, 12) + 10
						assert.NotContains(t, labels[:i], label)
					}
					assert.Less(t, total, float64(width)+20)
				})
			}
		}
	}
}
