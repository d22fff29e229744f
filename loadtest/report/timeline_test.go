package report

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// record makes a timeline of so many seconds of a busy run, and returns with it
// what was counted in all and how many echoes each second had.
func record(seconds int) (timeline Timeline, total Counts, echoes Latency) {
	rng := rand.New(rand.NewPCG(3, 4))
	for second := 1; second <= seconds; second++ {
		n := rng.Int64N(50)
		total.Started += n
		total.Connected += n
		total.Open += n - 3
		total.Failed++
		total.Failures.Add([]string{"dial.refused", "dial.timeout", "handshake.http_503"}[rng.IntN(3)])
		if second%3 == 0 {
			total.Closed.Add("eof")
		}
		total.Echo.Sent += n + 1
		total.Echo.OK += n
		total.Echo.Timeout++
		total.Broadcast.Delivered += 2 * n
		total.Reconnect.Cut += n
		total.Reconnect.OK += n - 1
		if second%2 == 0 {
			total.ReconnectFailures.Add("dial.refused")
			total.CloseFailures.Add("timeout")
		}
		total.Usage = Usage{ResidentBytes: int64(second), CPUSeconds: float64(second) / 4}
		moment := total.Copy()
		for range n {
			d := time.Duration(rng.ExpFloat64() * float64(50*time.Millisecond))
			moment.EchoLatency.Record(d)
			echoes.Record(d)
		}
		connections, cpu := float64(second), 0.5
		nodes := []*NodeUse{{Connections: &connections, CPU: &cpu}, nil}
		if second%5 == 0 {
			nodes[0] = nil
		}
		timeline.Add(Moment{At: time.Duration(second) * time.Second, Phase: "ramp", Total: &moment, Nodes: nodes})
	}
	return timeline, total, echoes
}

// However long the run, the points sum up to its totals and cover it without a
// gap.
func TestTimelineSumsUpToTheTotals(t *testing.T) {
	for _, seconds := range []int{1, 7, maxPoints, maxPoints + 1, maxPoints + 2, 5*maxPoints + 3} {
		timeline, total, echoes := record(seconds)
		points := timeline.Points()
		require.LessOrEqual(t, len(points), maxPoints)
		if seconds > maxPoints {
			require.GreaterOrEqual(t, len(points), maxPoints/2)
		}
		var got Counts
		var merged distribution
		end, cpu := 0.0, 0.0
		for i, p := range points {
			require.InDelta(t, end+p.Interval, p.T, 1e-6)
			end = p.T
			cpu += p.Generator.CPU * p.Interval
			got.Started += p.Started
			got.Connected += p.Connected
			got.Failed += p.Failed
			got.Failures.merge(p.Failures)
			got.Closed.merge(p.Closed)
			got.Echo.Sent += p.Echo.Sent
			got.Echo.OK += p.Echo.OK
			got.Echo.Timeout += p.Echo.Bad
			got.Broadcast.Delivered += p.Broadcast.Delivered
			got.Reconnect.Cut += p.Reconnect.Cut
			got.Reconnect.OK += p.Reconnect.OK
			got.ReconnectFailures.merge(p.ReconnectFailures)
			got.CloseFailures.merge(p.CloseFailures)
			merged.add(timeline.points[i].echo.h)
		}
		last := points[len(points)-1]
		require.EqualValues(t, seconds, last.T)
		require.Equal(t, total.Open, last.Open)
		require.EqualValues(t, seconds, last.Generator.MemoryBytes)
		require.InEpsilon(t, total.Usage.CPUSeconds, cpu, 1e-9)
		got.Open, got.Usage, got.Paces = total.Open, total.Usage, total.Paces
		require.Equal(t, total, got)
		if seconds == 1 {
			continue
		}
		require.Equal(t, echoes.Count(), merged.h.TotalCount())
		require.InEpsilon(t, echoes.Percentiles().P99, merged.times().P99, 0.01)
	}
}

// A merged point has the percentiles of all its values, not some mean of them.
func TestMergedPointsHaveThePercentilesOfAll(t *testing.T) {
	var timeline Timeline
	var all Latency
	for second := 1; second <= 2*maxPoints; second++ {
		var c Counts
		for i := range 10 {
			d := time.Duration(1+(second%2)*i) * time.Millisecond // quick and slow seconds in turn
			c.EchoLatency.Record(d)
			if second <= 2 {
				all.Record(d)
			}
		}
		timeline.Add(Moment{At: time.Duration(second) * time.Second, Total: &c})
	}
	points := timeline.Points()
	require.Len(t, points, maxPoints)
	want := all.Percentiles()
	for _, p := range points {
		require.InEpsilon(t, want.P50, p.Echo.P50, 0.01)
		require.InEpsilon(t, want.P90, p.Echo.P90, 0.01)
		require.InEpsilon(t, want.Max, p.Echo.Max, 0.01)
	}
}

func TestGapsOfNodesStayGapsUntilMergedWithAValue(t *testing.T) {
	timeline, _, _ := record(10)
	for i, p := range timeline.Points() {
		require.Equal(t, (i+1)%5 == 0, p.Nodes[0] == nil)
		require.Nil(t, p.Nodes[1])
	}
	timeline, _, _ = record(maxPoints + 1)
	for _, p := range timeline.Points() {
		require.NotNil(t, p.Nodes[0])
		require.Nil(t, p.Nodes[1])
		require.Equal(t, 0.5, *p.Nodes[0].CPU)
	}
}

// What a dead worker had counted is taken back, so that the sums stay right.
func TestLostCountsAreTakenBack(t *testing.T) {
	var timeline Timeline
	timeline.Add(Moment{At: time.Second, Total: &Counts{Connected: 10, Closed: Classes{"eof": 2}}})
	timeline.Add(Moment{At: 2 * time.Second, Total: &Counts{Connected: 6, Failed: 4, Failures: Classes{"worker.died": 4}}})
	p := timeline.Points()[1]
	require.EqualValues(t, -4, p.Connected)
	require.Equal(t, Classes{"worker.died": 4}, p.Failures)
	require.Equal(t, Classes{"eof": -2}, p.Closed)
}

// The end of a run comes at any time: the rest belongs to the second before.
func TestAShortRestIsNoPointOfItsOwn(t *testing.T) {
	var timeline Timeline
	timeline.Add(Moment{At: time.Second, Total: &Counts{Connected: 10}})
	timeline.Add(Moment{At: 1100 * time.Millisecond, Phase: "close", Total: &Counts{Connected: 12}})
	points := timeline.Points()
	require.Len(t, points, 1)
	require.Equal(t, Point{T: 1.1, Interval: 1.1, Phase: "close", Connected: 12}, points[0])
	require.EqualValues(t, 2, timeline.Latest().Connected)
}
