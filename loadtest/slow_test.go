//go:build linux

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// answer is what a slow server knows of one of its answers.
type answer struct {
	connection     int
	received, sent time.Time
}

// slow is an echo server that takes its time as delay says, and notes when it
// received and answered each message: the truth that a report is held against.
type slow struct {
	delay func(connection, n int) time.Duration // of a connection's n-th message

	mu      sync.Mutex // guards the following
	answers []answer   // in the order of their sending
}

func (s *slow) start(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func (s *slow) serve(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 512}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	for n := 0; ; n++ {
		messageType, p, err := ws.ReadMessage()
		if err != nil {
			return
		}
		a := answer{received: time.Now()}
		if _, err := fmt.Sscanf(string(p), "wsload echo %16s %d ", new(string), &a.connection); err != nil {
			return
		}
		time.Sleep(s.delay(a.connection, n))
		a.sent = time.Now()
		s.mu.Lock()
		s.answers = append(s.answers, a)
		s.mu.Unlock()
		if ws.WriteMessage(messageType, append([]byte("Server received: "), p...)) != nil {
			return
		}
	}
}

// sinceIntended returns how long after its intended time each message was answered.
// The k-th message goes over connection k mod clients and is meant for the second
// k/rate of a schedule whose start the server sees in the fastest message.
func (s *slow) sinceIntended(clients int, rate float64) (truth []time.Duration) {
	intended := make([]time.Duration, len(s.answers))
	seen := make([]int, clients)
	begun := s.answers[0].received
	for i, a := range s.answers {
		k := seen[a.connection]*clients + a.connection
		seen[a.connection]++
		intended[i] = time.Duration(float64(k) / rate * float64(time.Second))
		if start := a.received.Add(-intended[i]); start.Before(begun) {
			begun = start
		}
	}
	for i, a := range s.answers {
		truth = append(truth, a.sent.Sub(begun)-intended[i])
	}
	return truth
}

// percentiles are of a report, by what they say of a hundred.
type percentiles map[float64]float64

// against holds reported percentiles against the true times: each must be within a
// hundredth of one of those within a thousandth of its rank.
func (p percentiles) against(t *testing.T, truth []time.Duration) (wrong []string) {
	slices.Sort(truth)
	at := func(percent float64) float64 {
		rank := int(math.Ceil(percent / 100 * float64(len(truth))))
		return truth[min(max(rank, 1), len(truth))-1].Seconds()
	}
	for percent, reported := range p {
		low, high := at(percent-0.1), at(percent+0.1)
		text := fmt.Sprintf("p%v: reported %.4f s, true %.4f s (%.4f to %.4f a thousandth of the rank away)", percent, reported, at(percent), low, high)
		t.Log(text)
		if reported < low*0.99 || reported > high*1.01 {
			wrong = append(wrong, text)
		}
	}
	return wrong
}

// tries is how often a measurement is made. A machine that is too busy to read an
// answer soon after it came spoils one; what wsload does wrong spoils them all.
const tries = 4

func measured(t *testing.T, try func() (wrong []string)) {
	t.Helper()
	var wrong []string
	for range tries {
		if wrong = try(); len(wrong) == 0 {
			return
		}
	}
	t.Fatalf("wrong each time, at last: %s", strings.Join(wrong, "; "))
}

// Answers that are delayed independently of each other are reported as they were
// delayed. The delays are long and no other test runs at the same time, so that what
// the machine adds stays below a hundredth of them.
func TestPercentilesAreThoseOfTheServersDelays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 100))
	const clients, rate = 2000, 500.0
	delays := make([]time.Duration, clients)
	for i := range delays {
		delays[i] = 2*time.Second + time.Duration(rng.Float64()*float64(time.Second))
		if rng.IntN(100) == 0 {
			delays[i] += 2 * time.Second // one answer in a hundred
		}
	}
	measured(t, func() []string {
		s := &slow{delay: func(connection, _ int) time.Duration { return delays[connection] }}
		r := load(t, "-a", fmt.Sprint(clients), "-c", "1000", "-w", "1", "-echo-rate", fmt.Sprint(rate), s.start(t))
		require.Zero(t, r.status, r.output())
		require.Len(t, s.answers, clients)
		echo := r.report.Echo
		require.Greater(t, echo.P995, 4.0, "the one in a hundred")
		return percentiles{50: echo.P50, 90: echo.P90, 99.5: echo.P995, 99.9: echo.P999}.against(t, s.sinceIntended(clients, rate))
	})
}

// A connection that stalls once in a thousand answers makes all wait that were
// meant to be sent meanwhile. Counted from their intended times they show; counted
// from when they could be sent, as a closed loop counts, the stall is one answer in
// a thousand and no percentile below the highest knows of it.
func TestOpenLoopSeesWhatAClosedLoopDoesNot(t *testing.T) {
	const clients, rate, each = 4, 400.0, 1000
	rng := rand.New(rand.NewPCG(1, 1000))
	stallAt := make([]int, clients)
	for i := range stallAt {
		stallAt[i] = 200 + rng.IntN(500)
	}
	measured(t, func() []string {
		s := &slow{delay: func(connection, n int) time.Duration {
			if n == stallAt[connection] {
				return 2 * time.Second
			}
			return 0
		}}
		r := load(t, "-a", fmt.Sprint(clients), "-w", "1", "-echo-rate", fmt.Sprint(rate), "-echo-rounds", fmt.Sprint(each), s.start(t))
		require.Zero(t, r.status, r.output())
		echo := r.report.Echo
		require.Equal(t, report.EchoCounts{Sent: clients * each, OK: clients * each}, echo.EchoCounts)
		require.Len(t, s.answers, clients*each)
		t.Logf("p99.5 of the open loop %.4f s, of the closed loop %.4f s", echo.P995, echo.Service.P995)
		require.Greater(t, echo.P995, 1.8)
		require.Less(t, echo.Service.P995, echo.P995/4)
		require.GreaterOrEqual(t, echo.Service.Max, 2.0)
		return percentiles{99: echo.P99, 99.5: echo.P995}.against(t, s.sinceIntended(clients, rate))
	})
}
