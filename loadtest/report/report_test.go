package report

import (
	"encoding/json"
	"maps"
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
	require.Equal(t, buckets(whole), buckets(merged))
	require.EqualValues(t, 50_000, merged.Percentiles().Count)
}

func buckets(l Latency) map[int64]int64 { return maps.Collect(l.h.ForEachBucket) }

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
		"echo":{"sent":1,"ok":2,"corrupted":3,"timeout":4,"closed":5,"unexpected":6,"skipped":7},
		"broadcast":{"listeners":1,"expected":2,"delivered":3,"lost":4,"lost_closed":5,"duplicated":6,"reordered":7,"corrupted":8,"unconfirmed":9,"affected":10,"ahead_of_time":11,"missed_away":12,"late":13,"unrequired":14,"misrouted":15,"recovered":16},
		"resume":{"asked":1,"recovered":2,"too_old":3,"unanswered":4,"lost_told":5,"gaps_unknown":6,"skipped":7,"repeated":8,"epochs":9,"inconsistent":10},
		"reconnect":{"cut":1,"ok":2,"failed_attempts":3,"given_up":4},"stall":{"stalled":1,"closed":2},
		"reconnect_failures":{"d":9},"stall_closed":{"e":10},
		"foreign":9,"pings":10,
		"paces":{"0.connect":{"starts":1,"intended_ns":10,"actual_ns":20,"worst_lag_ns":30,"late":4,"sent_ns":40,"busy":0.5},"2.echo":{"starts":2,"intended_ns":11,"actual_ns":21,"worst_lag_ns":31,"late":5,"sent_ns":41,"busy":0.25}},
		"connect_latency":null,"handshake_latency":null,"echo_latency":null,"echo_service_latency":null,"broadcast_latency":null,"reconnect_latency":null,
		"usage":{"empty_bytes":1,"held_bytes":2,"resident_bytes":4,"cpu_seconds":3}}`)
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
		case "paces.0.connect.intended_ns", "paces.0.connect.actual_ns", "paces.0.connect.worst_lag_ns", "paces.0.connect.busy", "paces.0.connect.sent_ns",
			"paces.2.echo.intended_ns", "paces.2.echo.actual_ns", "paces.2.echo.worst_lag_ns", "paces.2.echo.busy", "paces.2.echo.sent_ns":
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
	r.Fill(&Counts{Paces: Paces{PaceKey(0, "connect"): &p}, Started: 1000, Connected: 1000}, Publishing{})
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

// A generator that stops and then catches up has measured itself meanwhile.
func TestGeneratorThatFellBehindAndCaughtUp(t *testing.T) {
	stopped := func(d time.Duration) (p Pace) {
		for at := time.Duration(0); at < 20*time.Second; at += 10 * time.Millisecond {
			actual := at
			if resumed := 5*time.Second + d; at > 5*time.Second && at < resumed {
				actual = resumed
			}
			p.Record(at, actual)
		}
		return p
	}
	behind := func(activity string, p Pace) bool {
		var r Report
		r.Fill(&Counts{Paces: Paces{PaceKey(1, activity): &p}}, Publishing{})
		return r.Generator.Behind == 1
	}
	require.False(t, behind("echo", stopped(2*time.Second)))
	require.True(t, behind("echo", stopped(3*time.Second)))
	require.False(t, behind("broadcast", stopped(3*time.Second)), "their times count from the sending")
	require.Positive(t, stopped(time.Second).Late)
}

func TestGeneratorWithoutAPauseCannotJudgeEchoes(t *testing.T) {
	for activity, want := range map[string]int64{"echo": 1, "connect": 0} {
		var r Report
		r.Fill(&Counts{Paces: Paces{PaceKey(1, activity): {Starts: 10, Intended: time.Second, Actual: time.Second, Busy: 0.99}}}, Publishing{})
		require.Equal(t, want, r.Generator.Behind, activity)
	}
}

func TestTheActualRateIsThatOfTheSending(t *testing.T) {
	var r Report
	p := Pace{Starts: 101, Intended: time.Second, Actual: time.Second, Sent: 4 * time.Second}
	r.Fill(&Counts{Paces: Paces{PaceKey(1, "echo"): &p}}, Publishing{})
	require.InDelta(t, 100, r.Echo.IntendedRate, 1e-9)
	require.InDelta(t, 25, r.Echo.ActualRate, 1e-9)
	require.False(t, r.Echo.Behind, "it was the server that made them wait")
}

func TestSchedulesAreListedByPhaseAndTheirRatesTakenTogether(t *testing.T) {
	var c Counts
	for k := range 11 {
		c.Paces.Of(PaceKey(0, "connect")).Record(time.Duration(k)*time.Second, time.Duration(k)*time.Second)
		c.Paces.Of(PaceKey(10, "echo")).Record(time.Duration(k)*100*time.Millisecond, time.Duration(k)*100*time.Millisecond)
		c.Paces.Of(PaceKey(2, "echo")).Record(time.Duration(k)*time.Second, time.Duration(k)*2*time.Second)
	}
	var r Report
	r.Fill(&c, Publishing{})
	require.Len(t, r.Schedules, 3)
	require.Equal(t, []int{0, 2, 10}, []int{r.Schedules[0].Phase, r.Schedules[1].Phase, r.Schedules[2].Phase})
	require.InDelta(t, 10, r.Schedules[2].IntendedRate, 1e-9)
	require.InDelta(t, 20/11.0, r.Echo.IntendedRate, 1e-9)
	require.InDelta(t, 20/21.0, r.Echo.ActualRate, 1e-9)
	require.True(t, r.Echo.Behind)
	require.EqualValues(t, 1, r.Generator.Behind)
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
