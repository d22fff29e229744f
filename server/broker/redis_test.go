package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/test/redistest"
)

func TestRedisJoinsNodes(t *testing.T) {
	server := redistest.Start(t)
	a, err := broker.New(broker.Config{URL: server.URL})
	require.NoError(t, err)
	b, err := broker.New(broker.Config{URL: server.URL})
	require.NoError(t, err)
	inA, inB := run(t, a), run(t, b)
	subscribe(t, a, inA, "broadcast")
	subscribe(t, b, inB, "broadcast")
	require.Equal(t, "2", server.CLI(t, "PUBLISH", "broadcast", "hello"))
	for _, in := range []*inbox{inA, inB} {
		in.await("broadcast", "hello")
	}
}

// Redis dies and comes back: the broker says so meanwhile and then goes on by
// itself, with its subscriptions.
func TestRedisRestart(t *testing.T) {
	server := redistest.Start(t)
	b, err := broker.New(broker.Config{URL: server.URL})
	require.NoError(t, err)
	in := run(t, b)
	subscribe(t, b, in, "news")

	server.Kill()
	require.Eventually(t, func() bool { return b.Ready() != nil }, patience, time.Millisecond)
	require.ErrorContains(t, b.Ready(), server.Addr)
	_, err = b.Publish(t.Context(), "news", nil)
	require.ErrorContains(t, err, server.Addr)
	require.EqualValues(t, 1, b.Stats().PublishErrors.Load())

	server.Restart(t)
	require.Eventually(t, func() bool { return b.Ready() == nil }, patience, time.Millisecond)
	publish(t, b, "news", "back")
	in.await("news", "back")
	require.NotZero(t, b.Stats().Reconnects.Load())
}

func TestRedisPassword(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "secret")
	right, err := broker.New(broker.Config{URL: server.URL, Password: "secret"})
	require.NoError(t, err)
	subscribe(t, right, run(t, right), "x")

	wrong, err := broker.New(broker.Config{URL: server.URL, Password: "guess"})
	require.NoError(t, err)
	require.ErrorContains(t, wrong.Run(t.Context(), newInbox(t)), server.Addr)
}

func TestRedisThatIsNotThere(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	b, err := broker.New(broker.Config{URL: server.URL})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.ErrorContains(t, b.Run(ctx, newInbox(t)), server.Addr)
}
