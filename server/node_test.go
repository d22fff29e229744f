//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// testNode is a whole wsnode in this process, on free ports.
type testNode struct {
	t     *testing.T
	ws    string // ws://address/
	admin string // http://address
	stop  context.CancelFunc
	done  chan error
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func noEnv(string) (string, bool) { return "", false }

func startNode(t *testing.T, args ...string) *testNode {
	t.Helper()
	listen, admin := tcptest.FreeAddr(t), tcptest.FreeAddr(t)
	ctx, cancel := context.WithCancel(context.Background())
	n := &testNode{t: t, ws: "ws://" + listen + "/", admin: "http://" + admin, stop: cancel, done: make(chan error, 1), log: &lockedBuffer{}}
	args = append([]string{"-listen", listen, "-admin", admin, "-drain-time", "1s"}, args...)
	go func() { n.done <- runNode(ctx, args, noEnv, n.log) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-n.done:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			t.Error("the node does not end with its context")
		}
	})
	require.Eventually(t, func() bool { return n.status("/readyz") == http.StatusOK }, 10*time.Second, 5*time.Millisecond, "%s", n.log)
	return n
}

func (n *testNode) status(path string) int {
	resp, err := http.Get(n.admin + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func (n *testNode) post(path, body string) (int, string) {
	n.t.Helper()
	resp, err := http.Post(n.admin+path, "text/plain", strings.NewReader(body))
	require.NoError(n.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(n.t, err)
	return resp.StatusCode, string(b)
}

// metric returns the value of a series such as wsnode_closed_total{reason="x"},
// and fails the test if there is none.
func (n *testNode) metric(series string) float64 {
	n.t.Helper()
	resp, err := http.Get(n.admin + "/metrics")
	require.NoError(n.t, err)
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	require.NoError(n.t, err)
	name, label, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	family := families[name]
	require.NotNil(n.t, family, "no metric %s", name)
	for _, m := range family.Metric {
		var labels []string
		for _, l := range m.Label {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		if strings.Join(labels, ",") == label {
			switch {
			case m.Gauge != nil:
				return m.Gauge.GetValue()
			case m.Counter != nil:
				return m.Counter.GetValue()
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount())
			}
		}
	}
	require.Fail(n.t, "no series "+series)
	return 0
}

func (n *testNode) dial(query string) *websocket.Conn {
	n.t.Helper()
	c, _, err := websocket.DefaultDialer.Dial(n.ws+query, nil)
	require.NoError(n.t, err)
	n.t.Cleanup(func() { c.Close() })
	require.NoError(n.t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	return c
}

func receive(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	_, p, err := c.ReadMessage()
	require.NoError(t, err)
	return string(p)
}

func TestEchoInTheTypeOfTheMessage(t *testing.T) {
	n := startNode(t)
	for _, path := range []string{"", "ws"} {
		c := n.dial(path)
		for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
			for _, m := range []string{"", "hi", strings.Repeat("x", 100_000)} {
				require.NoError(t, c.WriteMessage(kind, []byte(m)))
				gotKind, got, err := c.ReadMessage()
				require.NoError(t, err)
				require.Equal(t, kind, gotKind)
				require.Equal(t, "Server received: "+m, string(got))
			}
		}
	}
	require.EqualValues(t, 12, n.metric("wsnode_messages_received_total"))
	require.EqualValues(t, 12, n.metric("wsnode_messages_sent_total"))
	require.EqualValues(t, 2, n.metric("wsnode_connections"))
}

func TestPublishReachesThoseWhoListen(t *testing.T) {
	n := startNode(t)
	all, news := n.dial(""), n.dial("?channel=news&channel=sports")
	for _, step := range []struct {
		channel, body string
		readers       []*websocket.Conn
	}{
		{"news", "only some", []*websocket.Conn{news}},
		{"nobody", "none", nil},
		{"broadcast", "hello", []*websocket.Conn{all, news}},
	} {
		code, _ := n.post("/publish?channel="+step.channel, step.body)
		require.Equal(t, http.StatusNoContent, code)
		for _, c := range step.readers {
			require.Equal(t, step.body, receive(t, c))
		}
	}
	require.EqualValues(t, 3, n.metric("wsnode_broker_published_total"))
	require.EqualValues(t, 3, n.metric("wsnode_broker_subscriptions"))
}

// Who has the answer to the handshake is subscribed: nothing published from then on is
// missed.
func TestSubscribedOnceConnected(t *testing.T) {
	n := startNode(t)
	for i := range 100 {
		name := fmt.Sprintf("channel-%d", i)
		c := n.dial("?channel=" + name)
		code, _ := n.post("/publish?channel="+name, name)
		require.Equal(t, http.StatusNoContent, code)
		require.Equal(t, name, receive(t, c))
	}
}

func TestPublishRefusesBadInput(t *testing.T) {
	n := startNode(t)
	for path, want := range map[string]string{
		"/publish":          "1 to 256 bytes, not 0",
		"/publish?channel=": "1 to 256 bytes, not 0",
		"/publish?channel=" + strings.Repeat("x", 257): "1 to 256 bytes, not 257",
	} {
		code, body := n.post(path, "x")
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, body, want)
	}
	code, _ := n.post("/publish?channel=a", strings.Repeat("x", publishLimit+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, code)

	c := n.dial("?channel=")
	_, _, err := c.ReadMessage()
	require.True(t, websocket.IsCloseError(err, websocket.ClosePolicyViolation), "%v", err)
}

func TestRedisJoinsTwoNodes(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, "-broker", redis.URL), startNode(t, "-broker", redis.URL)
	ca, cb := a.dial(""), b.dial("")
	require.Equal(t, "2", redis.CLI(t, "PUBLISH", "broadcast", "hello"))
	require.Equal(t, "hello", receive(t, ca))
	require.Equal(t, "hello", receive(t, cb))

	redis.Kill()
	require.Eventually(t, func() bool { return a.status("/readyz") == http.StatusServiceUnavailable }, 10*time.Second, 5*time.Millisecond)
	require.EqualValues(t, 0, a.metric("wsnode_broker_up"))
	code, body := a.post("/publish?channel=broadcast", "x")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, redis.Addr)
	require.NoError(t, ca.WriteMessage(websocket.TextMessage, []byte("still here")))
	require.Equal(t, "Server received: still here", receive(t, ca))

	redis.Restart(t)
	require.Eventually(t, func() bool { return a.status("/readyz") == http.StatusOK }, 15*time.Second, 5*time.Millisecond)
}

func TestDrain(t *testing.T) {
	n := startNode(t)
	const clients = 40
	codes := make(chan time.Duration, clients)
	var start time.Time
	var ready sync.WaitGroup
	for range clients {
		c := n.dial("")
		ready.Add(1)
		go func() {
			ready.Done()
			_, _, err := c.ReadMessage()
			if !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
				t.Errorf("want 1012, got %v", err)
			}
			codes <- time.Since(start)
		}()
	}
	ready.Wait()
	start = time.Now()
	code, _ := n.post("/drain", "")
	require.Equal(t, http.StatusAccepted, code)
	var times []time.Duration
	for range clients {
		times = append(times, <-codes)
	}
	require.Greater(t, times[clients-1]-times[0], 500*time.Millisecond, "spread over the drain time")
	require.NoError(t, <-n.done)
	n.done <- nil
	_, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(n.ws, "ws://"), "/"))
	require.Error(t, err, "the port is closed")
}

func TestCapacity(t *testing.T) {
	n := startNode(t, "-max-connections", "2")
	n.dial("")
	n.dial("")
	_, resp, err := websocket.DefaultDialer.Dial(n.ws, nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.EqualValues(t, 2, n.metric("wsnode_capacity_connections"))
	require.EqualValues(t, 1, n.metric(`wsnode_handshakes_rejected_total{reason="capacity"}`))
}

func TestNoGoroutinePerConnection(t *testing.T) {
	n := startNode(t)
	n.dial("")
	before := n.metric("go_goroutines")
	for range 500 {
		n.dial("")
	}
	// The clients of this process have none either: gorilla's reads in the
	// caller. What differs are idle HTTP connections of the test.
	require.InDelta(t, before, n.metric("go_goroutines"), 10)
	require.EqualValues(t, 501, n.metric("wsnode_connections"))
}

func TestStartErrorsNameTheValue(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-bogus"}, "-bogus"},
		{[]string{"extra"}, `"extra"`},
		{[]string{"-loops", "0"}, "-loops 0"},
		{[]string{"-loops", "two"}, `"two"`},
		{[]string{"-listen", "nowhere"}, `-listen "nowhere"`},
		{[]string{"-listen", taken.Addr().String()}, taken.Addr().String()},
		{[]string{"-admin", taken.Addr().String()}, taken.Addr().String()},
		{[]string{"-heartbeat-timeout", "5s"}, "-heartbeat-timeout 5s"},
		{[]string{"-log-format", "xml"}, `"xml"`},
		{[]string{"-log-level", "loud"}, `"loud"`},
		{[]string{"-broker", "nats://x"}, `"nats://x"`},
		{[]string{"-broker", "redis://" + tcptest.FreeAddr(t)}, "connection refused"},
		{[]string{"-broker-password-file", "/does/not/exist"}, "/does/not/exist"},
		{[]string{"-history-length", "-1"}, "-history-length -1: want 0 to 1000000"},
		{[]string{"-history-age", "1ms"}, "-history-age 1ms: want 0, or 1s or more"},
		{[]string{"-broker-queue", "1"}, "-broker-queue 1: want 65536 to"},
		{[]string{"-publish-buffer", "2h"}, "-publish-buffer 2h0m0s: want 0s to 1h"},
		{[]string{"-broker", "redis://h", "-broker-ca", "ca.pem"}, `-broker-ca "ca.pem": -broker "redis://h" does not use TLS`},
		{[]string{"-broker", "rediss://h", "-broker-ca", "/does/not/exist"}, "/does/not/exist"},
		{[]string{"-broker", "rediss://h", "-broker-ca", "node_test.go"}, `-broker-ca "node_test.go": no certificate in it`},
		{[]string{"-max-connections", "999999999"}, "-max-connections 999999999"},
	} {
		args := append([]string{"-listen", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, c.args...)
		err := runNode(t.Context(), args, noEnv, io.Discard)
		require.ErrorContains(t, err, c.want, "%v", c.args)
		require.NotContains(t, err.Error(), "\n", "one line")
	}
	err = runNode(t.Context(), nil, func(k string) (string, bool) { return "many", k == "WSNODE_LOOPS" }, io.Discard)
	require.ErrorContains(t, err, `"many" for WSNODE_LOOPS`)
}

func TestFlagsBeatEnvironment(t *testing.T) {
	env := map[string]string{"WSNODE_LOOPS": "3", "WSNODE_DRAIN_TIME": "7s"}
	cfg, err := ParseConfig([]string{"-loops", "2"}, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 2, cfg.Loops)
	require.Equal(t, 7*time.Second, cfg.DrainTime)
}

// What was published before the node drains is delivered, however short the drain.
func TestDrainDeliversWhatWasPublished(t *testing.T) {
	n := startNode(t, "-drain-time", "0s", "-loops", "1")
	const clients, messages = 600, 50
	var conns []*websocket.Conn
	for range clients {
		conns = append(conns, n.dial(""))
	}
	for i := range messages {
		code, _ := n.post("/publish?channel=broadcast", fmt.Sprint(i))
		require.Equal(t, http.StatusNoContent, code)
	}
	n.post("/drain", "")
	for _, c := range conns {
		for i := range messages {
			require.Equal(t, fmt.Sprint(i), receive(t, c))
		}
		_, _, err := c.ReadMessage()
		require.True(t, websocket.IsCloseError(err, websocket.CloseServiceRestart), "%v", err)
	}
	require.NoError(t, <-n.done)
	n.done <- nil
}
