package redistest_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/redistest"
)

// What a single server kept in its file is there after a restart.
func TestRestart(t *testing.T) {
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	require.NoError(t, s.Client.Set(t.Context(), "a", "1", 0).Err())
	s.Kill()
	require.Error(t, s.Client.Ping(t.Context()).Err())
	s.Restart(t)
	require.Equal(t, "1", s.CLI(t, "GET", "a"))
}

func TestTLSAndPassword(t *testing.T) {
	s := redistest.Setup{TLS: true, Password: "secret"}.Start(t)
	require.Contains(t, s.URL, "rediss://")
	require.Equal(t, "PONG", s.CLI(t, "PING"))
	require.NoError(t, s.Client.Ping(t.Context()).Err())
	plain := redis.NewClient(&redis.Options{Addr: s.Addr, Password: "secret", MaxRetries: -1, DialerRetries: 1})
	defer plain.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.Error(t, plain.Ping(ctx).Err(), "without TLS")
}

var setups = map[string]redistest.Setup{"plain": {}, "TLS and password": {TLS: true, Password: "secret"}}

func TestSentinel(t *testing.T) {
	for name, setup := range setups {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			s := setup.StartSentinel(t)
			t.Logf("started in %v", time.Since(begin))
			begin = time.Now()
			old := s.Primary(t)
			require.NoError(t, old.Client.Set(t.Context(), "a", "1", 0).Err())
			old.AwaitReplicas(t, 1)
			killed, promoted := s.Failover(t)
			t.Logf("failed over in %v", time.Since(begin))
			require.Equal(t, old, killed)
			require.Equal(t, promoted, s.Primary(t))
			require.Equal(t, "1", promoted.CLI(t, "GET", "a"))
			require.NoError(t, promoted.Client.Set(t.Context(), "a", "2", 0).Err(), "it takes writes")
			s.Rejoin(t, killed)
			s.Failover(t)
			require.Equal(t, "2", killed.CLI(t, "GET", "a"))
		})
	}
}

func TestCluster(t *testing.T) {
	for name, setup := range setups {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			c := setup.StartCluster(t)
			t.Logf("started in %v", time.Since(begin))
			begin = time.Now()
			first := c.Primary(t, "a")
			require.NoError(t, first.Client.Set(t.Context(), "a", "1", 0).Err())
			from, to := c.MoveSlot(t, "a")
			t.Logf("moved in %v", time.Since(begin))
			begin = time.Now()
			require.Equal(t, first, from)
			require.Equal(t, to, c.Primary(t, "a"))
			require.Equal(t, "1", to.CLI(t, "GET", "a"))
			to.AwaitReplicas(t, 1)
			killed, promoted := c.Failover(t, "a")
			t.Logf("failed over in %v", time.Since(begin))
			require.Equal(t, to, killed)
			require.Equal(t, "1", promoted.CLI(t, "GET", "a"))
			c.Rejoin(t, killed, promoted)
			c.Failover(t, "a")
			require.Equal(t, killed, c.Primary(t, "a"))
		})
	}
}
