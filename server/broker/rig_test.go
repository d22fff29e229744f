package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// patience is for what must happen, but nobody knows when on a busy machine.
const patience = 60 * time.Second

// rig is a server, or none, through which brokers are joined.
type rig struct {
	url string
	// past publishes past wsfleet.
	past func(t *testing.T, channel, payload string)
	// crash kills what serves the channel and has it come back, or replaced, with what was
	// acknowledged.
	crash func(t *testing.T, channel string)
	// cut ends the connections that subscribe.
	cut func(t *testing.T)
	// password, caFile go to the Config.
	password, caFile string
}

// keepsAll makes a server write what it acknowledges to its file first, so that it is there
// after a crash of the process. With appendfsync everysec a write waits for a slow disk up to
// two seconds, and its acknowledgement doesn't.
var keepsAll = []string{"--appendonly", "yes", "--appendfsync", "no"}

// rigs are those that the conformance suite runs on.
var rigs = map[string]func(t *testing.T) rig{
	"memory": func(*testing.T) rig { return rig{url: "memory"} },
	"redis": func(t *testing.T) rig {
		server := redistest.Start(t, keepsAll...)
		return rig{
			url:  server.URL,
			past: func(t *testing.T, channel, payload string) { server.CLI(t, "PUBLISH", channel, payload) },
			crash: func(t *testing.T, _ string) {
				server.Kill()
				server.Restart(t)
			},
			cut: func(t *testing.T) { server.CLI(t, "CLIENT", "KILL", "TYPE", "pubsub") },
		}
	},
	"redis+tls": func(t *testing.T) rig {
		server := redistest.Setup{TLS: true, Password: "secret", Args: keepsAll}.Start(t)
		return rig{
			url: server.URL, caFile: server.CAFile, password: "secret",
			past: func(t *testing.T, channel, payload string) { server.CLI(t, "PUBLISH", channel, payload) },
			crash: func(t *testing.T, _ string) {
				server.Kill()
				server.Restart(t)
			},
			cut: func(t *testing.T) { server.CLI(t, "CLIENT", "KILL", "TYPE", "pubsub") },
		}
	},
	"redis+sentinel": func(t *testing.T) rig {
		s := redistest.Setup{}.StartSentinel(t)
		return rig{
			url:  s.URL,
			past: func(t *testing.T, channel, payload string) { s.Primary(t).CLI(t, "PUBLISH", channel, payload) },
			crash: func(t *testing.T, _ string) {
				s.Primary(t).Quiesce(t, 1)
				killed, _ := s.Failover(t)
				s.Rejoin(t, killed)
			},
			cut: func(t *testing.T) { s.Primary(t).CLI(t, "CLIENT", "KILL", "TYPE", "pubsub") },
		}
	},
	"redis+cluster": func(t *testing.T) rig {
		c := redistest.Setup{}.StartCluster(t)
		return rig{
			url: c.URL,
			past: func(t *testing.T, channel, payload string) {
				c.Primary(t, channel).CLI(t, "SPUBLISH", channel, payload)
			},
			crash: func(t *testing.T, channel string) {
				c.Primary(t, channel).Quiesce(t, 1)
				killed, promoted := c.Failover(t, channel)
				c.Rejoin(t, killed, promoted)
			},
			cut: func(t *testing.T) {
				for _, server := range c.Servers {
					server.CLI(t, "CLIENT", "KILL", "TYPE", "pubsub")
				}
			},
		}
	},
}

// server reports whether there is one: only memory has none.
func (r rig) server() bool { return r.url != "memory" }

// broker returns one that is joined to the others of the rig, configured by edit.
func (r rig) broker(t *testing.T, edit func(*broker.Config)) broker.Broker {
	t.Helper()
	cfg := broker.Config{URL: r.url, Password: r.password, CAFile: r.caFile}
	if edit != nil {
		edit(&cfg)
	}
	b, err := broker.New(cfg)
	require.NoError(t, err)
	return b
}

// withHistory keeps n messages.
func withHistory(n int) func(*broker.Config) {
	return func(c *broker.Config) { c.History = broker.History{Length: n, Age: time.Hour} }
}

// run starts b and ends it with the test.
func run(t *testing.T, b broker.Broker) *inbox {
	t.Helper()
	in := newInbox(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, in) }()
	t.Cleanup(func() {
		in.release()
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(patience):
			t.Error("Run does not end with its context")
		}
	})
	awaitReady(t, b)
	return in
}

func awaitReady(t *testing.T, b broker.Broker) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Ready() == nil }, patience, time.Millisecond, "not ready")
}

// subscribe returns once the broker has said where channel starts.
func subscribe(t *testing.T, b broker.Broker, in *inbox, channel string) position.Position {
	t.Helper()
	n := len(in.startsOf(channel))
	b.Subscribe(channel)
	require.Eventually(t, func() bool { return len(in.startsOf(channel)) > n }, patience, time.Millisecond)
	starts := in.startsOf(channel)
	return starts[len(starts)-1]
}

func publish(t *testing.T, b broker.Broker, channel, payload string) position.Position {
	t.Helper()
	p, err := b.Publish(t.Context(), channel, []byte(payload))
	require.NoError(t, err)
	return p
}
