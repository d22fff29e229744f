package broker_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// Who names the wrong kind of server is told so at the start, and which one it is.
func TestServersOfAnotherKind(t *testing.T) {
	setup := redistest.Setup{Password: "secret"}
	single, watched, cluster := setup.Start(t), setup.StartSentinel(t), setup.StartCluster(t)
	sentinel, member := watched.Sentinels[0].Addr, cluster.Servers[0].Addr
	for _, c := range []struct{ url, password, want string }{
		{"redis://" + member, "secret", "this is a member of a cluster"},
		{"redis://" + sentinel, "secret", "this is a Sentinel"},
		{"redis+cluster://" + single.Addr, "secret", "this is no member of a cluster"},
		{"redis+cluster://" + sentinel, "secret", "this is a Sentinel"},
		{"redis+sentinel://" + single.Addr + "/main", "secret", "this is no Sentinel"},
		{"redis+sentinel://" + sentinel + "/other", "secret", "no primary of this name"},
		{watched.URL, "guess", "WRONGPASS"},
		{watched.URL, "", "NOAUTH"},
		{cluster.URL, "guess", "WRONGPASS"},
		{cluster.URL, "", "NOAUTH"},
		{"redis+sentinel://127.0.0.1:1/main", "", "connection refused"},
		{"redis+cluster://127.0.0.1:1", "", "connection refused"},
	} {
		b, err := broker.New(broker.Config{URL: c.url, Password: c.password})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err = b.Run(ctx, newInbox(t))
		cancel()
		require.ErrorContains(t, err, c.want, c.url)
		_, servers, _ := strings.Cut(c.url, "://")
		require.ErrorContains(t, err, "redis "+servers+": ")
	}
}

func TestServersTooOld(t *testing.T) {
	require.ErrorContains(t, broker.CheckInfo("# Server\r\nredis_version:6.2.14\r\nredis_mode:standalone\r\n"), "this is 6.2.14")
	require.NoError(t, broker.CheckInfo("# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\n"))
	require.NoError(t, broker.CheckInfo("# Server\r\nredis_version:8.2.1\r\n"))
}
