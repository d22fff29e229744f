package broker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// inbox keeps what a node was handed.
type inbox struct {
	mu  sync.Mutex
	got []string
}

func (b *inbox) Start(string, position.Position) {}

func (b *inbox) Deliver(m broker.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m.Channel+":"+string(m.Payload))
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.got...)
}

func (b *inbox) has(msg string) bool {
	for _, m := range b.all() {
		if m == msg {
			return true
		}
	}
	return false
}

func publish(t *testing.T, b broker.Broker, channel string, payload []byte) {
	t.Helper()
	_, err := b.Publish(t.Context(), channel, payload)
	require.NoError(t, err)
}

// run starts b and ends it with the test.
func run(t *testing.T, b broker.Broker) *inbox {
	t.Helper()
	in := &inbox{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, in) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			t.Error("Run does not end with its context")
		}
	})
	require.Eventually(t, func() bool { return b.Ready() == nil }, 10*time.Second, time.Millisecond, "not ready")
	return in
}

// subscribe returns once messages on channel reach in.
func subscribe(t *testing.T, b broker.Broker, in *inbox, channel string) {
	t.Helper()
	b.Subscribe(channel)
	probe := "probe " + t.Name()
	require.Eventually(t, func() bool {
		publish(t, b, channel, []byte(probe))
		return in.has(channel + ":" + probe)
	}, 10*time.Second, 5*time.Millisecond)
}

// TestConformance is what every broker must do. nodes returns n brokers that are
// joined; one that reaches its own process only is given as n = 1.
func TestConformance(t *testing.T) {
	server := redistest.Start(t)
	brokers := map[string]func(t *testing.T) broker.Broker{
		"memory": func(*testing.T) broker.Broker { return broker.NewMemory(broker.History{}) },
		"redis": func(t *testing.T) broker.Broker {
			b, err := broker.New(broker.Config{URL: server.URL})
			require.NoError(t, err)
			return b
		},
	}
	cases := map[string]func(t *testing.T, b broker.Broker){
		"not ready before Run": func(t *testing.T, b broker.Broker) {
			require.Error(t, b.Ready())
			run(t, b)
		},
		"in order, unchanged": func(t *testing.T, b broker.Broker) {
			in := run(t, b)
			subscribe(t, b, in, "order")
			var want []string
			for i := range 1000 {
				want = append(want, fmt.Sprintf("order:%d \x00\xff", i))
				publish(t, b, "order", []byte(fmt.Sprintf("%d \x00\xff", i)))
			}
			require.Eventually(t, func() bool { return in.has(want[len(want)-1]) }, 10*time.Second, time.Millisecond)
			got := in.all()
			require.Equal(t, want, got[len(got)-len(want):])
		},
		"only channels subscribed to": func(t *testing.T, b broker.Broker) {
			in := run(t, b)
			subscribe(t, b, in, "wanted")
			publish(t, b, "other", []byte("x"))
			publish(t, b, "wanted", []byte("y"))
			require.Eventually(t, func() bool { return in.has("wanted:y") }, 10*time.Second, time.Millisecond)
			require.False(t, in.has("other:x"))
		},
		"unsubscribe ends it": func(t *testing.T, b broker.Broker) {
			in := run(t, b)
			subscribe(t, b, in, "leaves")
			subscribe(t, b, in, "stays")
			b.Unsubscribe("leaves")
			require.Eventually(t, func() bool {
				n := len(in.all())
				publish(t, b, "leaves", []byte("late"))
				publish(t, b, "stays", []byte(fmt.Sprint(n)))
				require.Eventually(t, func() bool { return in.has("stays:" + fmt.Sprint(n)) }, 10*time.Second, time.Millisecond)
				return len(in.all()) == n+1
			}, 10*time.Second, time.Millisecond)
			require.EqualValues(t, 1, b.Stats().Subscriptions.Load())
		},
		"thousands of channels, any name": func(t *testing.T, b broker.Broker) {
			in := run(t, b)
			last := "a name with spaces, ü and " + strings.Repeat("x", 1000)
			for i := range 2000 {
				b.Subscribe(fmt.Sprintf("channel-%d", i))
			}
			subscribe(t, b, in, last)
			require.EqualValues(t, 2001, b.Stats().Subscriptions.Load())
			for i := range 2000 {
				publish(t, b, fmt.Sprintf("channel-%d", i), []byte("m"))
			}
			require.Eventually(t, func() bool { return in.has("channel-1999:m") && in.has("channel-0:m") }, 10*time.Second, time.Millisecond)
		},
	}
	for name, fresh := range brokers {
		for what, check := range cases {
			t.Run(name+"/"+what, func(t *testing.T) { check(t, fresh(t)) })
		}
	}
}
