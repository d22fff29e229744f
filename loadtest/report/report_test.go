package report

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMergedLatenciesAreThoseOfOneWorker(t *testing.T) {
	var whole, merged Latency
	parts := make([]Latency, 7)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 50_000 {
		d := time.Duration(rng.ExpFloat64() * float64(20*time.Millisecond))
		whole.Record(d)
		parts[i%len(parts)].Record(d)
	}
	for _, part := range parts {
		wire, err := json.Marshal(part)
		require.NoError(t, err)
		var received Latency
		require.NoError(t, json.Unmarshal(wire, &received))
		require.NoError(t, merged.Merge(received))
	}
	require.Equal(t, whole.Percentiles(), merged.Percentiles())
	require.Equal(t, whole.h.Export().Counts, merged.h.Export().Counts)
	require.EqualValues(t, 50_000, merged.Percentiles().Count)
}

func TestLatencyKeepsItsBounds(t *testing.T) {
	var l Latency
	require.Equal(t, Percentiles{}, l.Percentiles())
	l.Record(-time.Second)
	l.Record(100 * time.Millisecond)
	l.Record(3 * time.Hour)
	p := l.Percentiles()
	require.EqualValues(t, 3, p.Count)
	require.Zero(t, p.Min)
	require.InEpsilon(t, 0.1, p.P50, 0.001)
	require.InEpsilon(t, 3600, p.Max, 0.001)
}

// Every count of two workers must be in the sum: a field that merging forgets
// would hide failures.
func TestMergeAddsEveryCount(t *testing.T) {
	one := []byte(`{"started":1,"connected":2,"failed":3,"open":4,"held":5,"failures":{"a":6},"closed":{"b":7},"close_failures":{"c":8},
		"echo":{"sent":1,"ok":2,"corrupted":3,"timeout":4,"closed":5,"unexpected":6},
		"broadcast":{"listeners":1,"expected":2,"delivered":3,"lost":4,"lost_closed":5,"duplicated":6,"reordered":7,"corrupted":8,"unconfirmed":9,"affected":10,"ahead_of_time":11},
		"foreign":9,"pings":10,
		"connect_pace":{"starts":1,"intended_ns":10,"actual_ns":20,"worst_lag_ns":30},"echo_pace":{"starts":2,"intended_ns":11,"actual_ns":21,"worst_lag_ns":31},
		"connect_latency":null,"handshake_latency":null,"echo_latency":null,"broadcast_latency":null,
		"usage":{"empty_bytes":1,"held_bytes":2,"cpu_seconds":3}}`)
	var worker, sum Counts
	require.NoError(t, json.Unmarshal(one, &worker))
	back, err := json.Marshal(worker)
	require.NoError(t, err)
	require.JSONEq(t, string(one), string(back), "the example lacks a field")
	require.NoError(t, sum.Merge(&worker))
	require.NoError(t, sum.Merge(&worker))

	var single, double map[string]any
	require.NoError(t, json.Unmarshal(back, &single))
	doubled, err := json.Marshal(sum)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(doubled, &double))
	before, after := map[string]float64{}, map[string]float64{}
	flatten(before, "", single)
	flatten(after, "", double)
	require.Len(t, after, len(before))
	for name, v := range before {
		switch name {
		case "connect_pace.intended_ns", "connect_pace.actual_ns", "connect_pace.worst_lag_ns",
			"echo_pace.intended_ns", "echo_pace.actual_ns", "echo_pace.worst_lag_ns":
			require.Equal(t, v, after[name], name) // the furthest of all workers
		default:
			require.Equal(t, 2*v, after[name], name)
		}
	}
}

func TestSamplesAreKeptUpToTheirNumberPerClass(t *testing.T) {
	var a, b Counts
	for i := range int64(4) {
		a.AddSample(Sample{Class: "dial.refused", Connection: i})
		b.AddSample(Sample{Class: "dial.refused", Connection: 10 + i})
	}
	b.AddSample(Sample{Class: "dial.timeout"})
	require.NoError(t, a.Merge(&b))
	require.Len(t, a.Samples, SamplesPerClass+1)
}

func TestGeneratorThatFellBehind(t *testing.T) {
	var p Pace
	for k := range 1000 {
		at := time.Duration(k) * 10 * time.Millisecond
		p.Record(at, at+at/10)
	}
	require.True(t, p.Behind())
	r := Report{Planned: 1000}
	r.Fill(&Counts{ConnectPace: p, Started: 1000, Connected: 1000}, Publishing{})
	require.InDelta(t, 100, r.Connect.IntendedRate, 0.01)
	require.InDelta(t, 100/1.1, r.Connect.ActualRate, 0.01)
	e, err := ParseExpectation("generator.behind == 0")
	require.NoError(t, err)
	r.Judge([]Expectation{e})
	require.False(t, r.OK)
	require.Equal(t, Outcome{"generator.behind == 0", 1, false}, r.Expectations[0])

	for name, c := range map[string]struct {
		intended, actual time.Duration
		behind           bool
	}{
		"a short run may lose half a second": {time.Second, 1499 * time.Millisecond, false},
		"but no more":                        {time.Second, 1501 * time.Millisecond, true},
		"a long one a twentieth":             {1000 * time.Second, 1049 * time.Second, false},
		"and no more of it":                  {1000 * time.Second, 1051 * time.Second, true},
	} {
		require.Equal(t, c.behind, Pace{Intended: c.intended, Actual: c.actual}.Behind(), name)
	}
}

func TestExpectations(t *testing.T) {
	r := Report{Planned: 100, Connected: 99}
	r.Failures = Classes{"dial.refused": 1}
	r.Echo.P99 = 0.2
	r.Interrupted = true
	metrics := r.Metrics()
	for text, want := range map[string]bool{
		"connected == 99":              true,
		"connected==planned":           false,
		" connected  <  planned ":      true,
		"connected >= 99.0":            true,
		"connected != 99":              false,
		"connected > 99":               false,
		"connected <= 98":              false,
		"echo.p99 < 250ms":             true,
		"echo.p99 < 0.1":               false,
		"failures.dial.refused == 1":   true,
		"closed.code_1012 == 0":        true,
		"interrupted == 1":             true,
		"echo.p99 > connect.p99":       true,
		"generator.bytes_per_client<1": true,
	} {
		e, err := ParseExpectation(text)
		require.NoError(t, err, text)
		require.Equal(t, want, e.Check(metrics).OK, text)
	}
	for text, want := range map[string]string{
		"":                       "want <name> <operator> <value>",
		"connected":              "want <name> <operator> <value>",
		"connected = 5":          "want <name> <operator> <value>",
		"conected == 5":          `the report has no "conected"`,
		"run == 5":               `the report has no "run"`,
		"failures. == 5":         `the report has no "failures."`,
		"echo.p99 < 250 ms":      "want <name> <operator> <value>",
		"echo.p99 < soon":        `"soon" is no number`,
		"connected == 1; x == 2": "want <name> <operator> <value>",
	} {
		_, err := ParseExpectation(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestOwnExpectationsReplaceTheDefaultsOfTheirName(t *testing.T) {
	parse := func(text string) Expectation {
		e, err := ParseExpectation(text)
		require.NoError(t, err)
		return e
	}
	got := Override(
		[]Expectation{parse("connected == planned"), parse("closed_unexpected == 0")},
		[]Expectation{parse("closed_unexpected <= 5"), parse("closed_unexpected >= 1")})
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Text)
	}
	require.Equal(t, []string{"connected == planned", "closed_unexpected <= 5", "closed_unexpected >= 1"}, texts)
}
