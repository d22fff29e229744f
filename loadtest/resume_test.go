//go:build linux

package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

const resuming = 20 // clients

// stormOf cuts all clients off in a stream of broadcasts.
func stormOf(t *testing.T, publish string) string {
	t.Helper()
	return scenarioFile(t, fmt.Sprintf(`
connections: %d
resume: true
publish: {urls: ['%s']}
phases:
  - broadcast: {count: 40, rate: 100}
    storm: {within: 100ms}
`, resuming, publish))
}

// A server that gives everybody what was missed passes; of every other, what it did
// wrong to each of its clients is counted.
func TestWhatServersDoWithPositionsIsJudged(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		resume report.ResumeCounts
		failed func(s *resumable) []string
	}{
		"":          {report.ResumeCounts{Recovered: 20}, nil},
		"new epoch": {report.ResumeCounts{Recovered: 20, Epochs: 20}, nil},
		"gap": {report.ResumeCounts{Recovered: 20, Skipped: 20}, func(*resumable) []string {
			return []string{"broadcast.lost == 0: 20", "resume.skipped == 0: 20"}
		}},
		"double": {report.ResumeCounts{Recovered: 20, Repeated: 20}, func(*resumable) []string {
			return []string{"broadcast.duplicated == 0: 20", "resume.repeated == 0: 20"}
		}},
		"swap": {report.ResumeCounts{Recovered: 20, Skipped: 20, Repeated: 20}, func(*resumable) []string {
			return []string{"broadcast.reordered == 0: 20", "resume.skipped == 0: 20", "resume.repeated == 0: 20"}
		}},
		"told": {report.ResumeCounts{Recovered: 20, LostTold: 20}, func(*resumable) []string {
			return []string{"broadcast.lost == 0: 20", "resume.lost_told == 0: 20"}
		}},
		"told wrongly": {report.ResumeCounts{Recovered: 20, LostTold: 40, Inconsistent: 20}, func(*resumable) []string {
			return []string{"broadcast.lost == 0: 20", "resume.lost_told == 0: 40", "resume.inconsistent == 0: 20"}
		}},
		"unknown": {report.ResumeCounts{Recovered: 20, GapsUnknown: 20}, func(*resumable) []string {
			return []string{"resume.gaps_unknown == 0: 20"}
		}},
		"too old": {report.ResumeCounts{TooOld: 20}, func(s *resumable) []string {
			return []string{fmt.Sprintf("broadcast.lost == 0: %d", s.unsent), "resume.too_old == 0: 20", fmt.Sprintf("resume.lost_told == 0: %d", s.unsent)}
		}},
		"says so, and does not": {report.ResumeCounts{Recovered: 20, Inconsistent: 20}, func(s *resumable) []string {
			return []string{fmt.Sprintf("broadcast.lost == 0: %d", s.unsent), fmt.Sprintf("resume.skipped == 0: %d", s.unsent), "resume.inconsistent == 0: 20"}
		}},
		"silent": {report.ResumeCounts{Unanswered: 20, Inconsistent: 20}, func(*resumable) []string {
			return []string{"resume.inconsistent == 0: 20", "resume.unanswered == 0: 20"}
		}},
		"speaks twice":    {report.ResumeCounts{Recovered: 20, Inconsistent: 20}, inconsistent},
		"another channel": {report.ResumeCounts{Recovered: 20, Inconsistent: 20}, inconsistent},
		"not JSON":        {report.ResumeCounts{Recovered: 20, Inconsistent: 20}, inconsistent},
		"bare":            {report.ResumeCounts{Recovered: 20}, inconsistent},
		"alien":           {report.ResumeCounts{Recovered: 20}, inconsistent},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := newResumable(fault)
			url, publish := s.start(t)
			r := load(t, "run", "-w", "2", stormOf(t, publish), url)
			require.Zero(t, s.refused, r.output())
			require.Equal(t, resuming, s.back)
			require.EqualValues(t, resuming, r.report.Reconnect.ReconnectCounts.OK)
			want.resume.Asked = resuming
			want.resume.Inconsistent += int64(s.wrong)
			switch fault {
			case "too old":
				want.resume.LostTold = int64(s.unsent)
			case "says so, and does not":
				want.resume.Skipped = int64(s.unsent)
			}
			require.Equal(t, want.resume, r.report.Resume)
			if want.failed == nil {
				require.Zero(t, r.status, r.output())
				require.GreaterOrEqual(t, r.report.Broadcast.Recovered, int64(3*resuming)/2, "some of the three that each missed may have been under way when it was cut")
				return
			}
			expected(t, r, want.failed(s)...)
		})
	}
}

func inconsistent(s *resumable) []string {
	return []string{fmt.Sprintf("resume.inconsistent == 0: %d", max(resuming, s.wrong))}
}

// Clients that lose their connection come back to the next target, and go on there.
func TestClientsThatLoseTheirConnectionGoOnElsewhere(t *testing.T) {
	t.Parallel()
	s := newResumable("")
	one, publish := s.start(t)
	other, _ := s.start(t)
	file := scenarioFile(t, fmt.Sprintf(`
connections: %d
resume: true
reconnect: {within: 200ms, elsewhere: true}
publish: {urls: ['%s']}
phases:
  - hold: {for: 100ms}
  - broadcast: {count: 60, rate: 50}
`, resuming, publish))
	r, wait := start(t.Context(), t, "run", "-w", "2", file, one, other)
	r.waitFor(t, "phase: broadcast connected=20")
	s.waitFor(10)
	s.restart()
	wait()
	require.Zero(t, r.status, r.output())
	require.Equal(t, report.Classes{"code_1012": resuming}, r.report.Closed)
	require.Equal(t, report.ReconnectCounts{Cut: resuming, OK: resuming}, r.report.Reconnect.ReconnectCounts)
	require.Equal(t, report.ResumeCounts{Asked: resuming, Recovered: resuming}, r.report.Resume)
	require.EqualValues(t, 60*resuming, r.report.Broadcast.Delivered)
	came := map[string]int{}
	for _, c := range s.conns {
		came[c.server]++
	}
	require.Equal(t, []int{resuming, resuming}, []int{came[one[len("ws://"):]], came[other[len("ws://"):]]}, "half of them began at each")
}

func TestClientsThatFindNobodyGiveUp(t *testing.T) {
	t.Parallel()
	s := newResumable("")
	url, _ := s.start(t)
	file := scenarioFile(t, `
connections: 5
resume: true
reconnect: {within: 50ms, backoff: 50ms, give_up: 500ms}
phases: [{hold: {for: 20s}}]
`)
	r, wait := start(t.Context(), t, "run", file, url)
	r.waitFor(t, "phase: hold connected=5")
	s.stop()
	r = wait()
	require.EqualValues(t, 5, r.report.Reconnect.Cut)
	require.EqualValues(t, 5, r.report.Reconnect.GivenUp)
	require.Equal(t, r.report.ReconnectFailures.Sum(), r.report.Reconnect.FailedAttempts)
	require.GreaterOrEqual(t, r.report.ReconnectFailures["dial.refused"], int64(5))
	require.Less(t, r.report.Duration, 15.0, "nothing is left to hold")
	expected(t, r, "reconnect.ok == reconnect.cut: 0")
}
