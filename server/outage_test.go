//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
)

// stream publishes 0, 1, 2 and so on, one after the other, until it is told to end.
// accepted are those that the node took.
type stream struct {
	accepted []int
	refused  int
	stop     atomic.Bool
	done     chan struct{}
}

func (n *testNode) stream(channel string, pause time.Duration) *stream {
	s := &stream{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for i := 0; !s.stop.Load(); i++ {
			resp, err := http.Post(n.admin+"/publish?channel="+url.QueryEscape(channel), "text/plain", strings.NewReader(fmt.Sprint(i)))
			if err == nil && resp.StatusCode == http.StatusNoContent {
				s.accepted = append(s.accepted, i)
			} else {
				s.refused++
			}
			if err == nil {
				resp.Body.Close()
			}
			time.Sleep(pause)
		}
	}()
	return s
}

func (s *stream) end(n *testNode, channel string) {
	s.stop.Store(true)
	<-s.done
	require.Eventually(n.t, func() bool {
		code, _ := n.post("/publish?channel="+channel, "end")
		return code == http.StatusNoContent
	}, waitFor, poll)
}

// numbersOf returns the numbers in messages up to "end", which must be strictly
// ascending: in order, none twice.
func ascending(t *testing.T, next func() string) (got []int) {
	for m := next(); m != "end"; m = next() {
		var i int
		_, err := fmt.Sscan(m, &i)
		require.NoError(t, err, "%q", m)
		if len(got) > 0 {
			require.Greater(t, i, got[len(got)-1])
		}
		got = append(got, i)
	}
	return got
}

// Redis dies in a stream of messages and comes back with what it had: nothing that was
// accepted is lost, nothing comes twice, on any connection of two nodes. With a buffer
// for publishing nothing is refused either.
func TestRedisOutageLosesNothing(t *testing.T) {
	for _, buffer := range []string{"0s", "30s"} {
		t.Run("publish buffer "+buffer, func(t *testing.T) { outage(t, buffer) })
	}
}

func outage(t *testing.T, buffer string) {
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	args := []string{"-broker", redis.URL, "-history-length", "10000", "-publish-buffer", buffer}
	nodes := []*testNode{startNode(t, args...), startNode(t, args...)}
	var plain []*websocket.Conn
	var resumable []*listener
	for i := range 10 {
		n := nodes[i%2]
		plain = append(plain, n.dial("?channel=a"))
		l := n.listen("channel=a&since=")
		l.joined("broadcast", "a")
		resumable = append(resumable, l)
	}
	s := nodes[0].stream("a", 2*time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	redis.Kill()
	require.Eventually(t, func() bool { return nodes[1].status("/readyz") == http.StatusServiceUnavailable }, waitFor, poll)
	time.Sleep(500 * time.Millisecond)
	redis.Restart(t)
	for _, n := range nodes {
		require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusOK }, 2*waitFor, poll)
	}
	time.Sleep(300 * time.Millisecond)
	s.end(nodes[0], "a")
	require.NotEmpty(t, s.accepted)
	if buffer == "0s" {
		require.NotZero(t, s.refused)
	} else {
		require.Zero(t, s.refused)
	}

	var wg sync.WaitGroup
	all := make([][]int, len(plain)+len(resumable))
	for i, c := range plain {
		wg.Go(func() { all[i] = ascending(t, func() string { return receive(t, c) }) })
	}
	for i, l := range resumable {
		wg.Go(func() {
			all[len(plain)+i] = ascending(t, func() string {
				m := l.next()
				require.Zero(t, m.header.Lost)
				return m.payload
			})
		})
	}
	wg.Wait()
	for _, got := range all {
		require.Equal(t, all[0], got, "all had the same")
		require.Subset(t, got, s.accepted)
	}
	if buffer != "0s" {
		require.Equal(t, s.accepted, all[0])
	}
	for _, n := range nodes {
		require.Zero(t, n.metric("wsnode_broker_lost_total"))
		require.Zero(t, n.metric(`wsnode_broker_gaps_total{outcome="unknown"}`))
	}
	t.Logf("%d accepted, %d refused, %d delivered to each", len(s.accepted), s.refused, len(all[0]))
}
