package broker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// Each kind of server is reached with the URL that names it, with and without TLS and
// password.
func TestClientOfEachTopology(t *testing.T) {
	for name, setup := range map[string]redistest.Setup{
		"plain":            {},
		"TLS and password": {TLS: true, Password: "a/secret?%@"},
	} {
		t.Run(name, func(t *testing.T) {
			single, sentinel, cluster := setup.Start(t), setup.StartSentinel(t), setup.StartCluster(t)
			for kind, cfg := range map[string]broker.Config{
				"single":            {URL: single.URL, CAFile: single.CAFile},
				"another database":  {URL: strings.TrimSuffix(single.URL, "0") + "3", CAFile: single.CAFile},
				"sentinel":          {URL: sentinel.URL, CAFile: sentinel.CAFile},
				"sentinel database": {URL: sentinel.URL + "/2", CAFile: sentinel.CAFile},
				"cluster":           {URL: cluster.URL, CAFile: cluster.CAFile},
			} {
				cfg.Password = setup.Password
				client, err := broker.NewClient(cfg)
				require.NoError(t, err, kind)
				defer client.Close()
				for _, key := range []string{"a", "b", "c"} { // of three slots
					require.NoError(t, client.Set(t.Context(), key, kind, 0).Err(), kind)
				}
			}
			require.Equal(t, "single", single.CLI(t, "GET", "a"))
			require.Equal(t, "another database", single.CLI(t, "-n", "3", "GET", "a"))
			require.Equal(t, "sentinel", sentinel.Primary(t).CLI(t, "GET", "a"))
			require.Equal(t, "sentinel database", sentinel.Primary(t).CLI(t, "-n", "2", "GET", "a"))
			require.Equal(t, "cluster", cluster.Primary(t, "c").CLI(t, "GET", "c"))
		})
	}
}

// The user of the URL is who the servers see, its password may be escaped there.
func TestClientUser(t *testing.T) {
	server := redistest.Start(t)
	server.CLI(t, "ACL", "SETUSER", "node", "on", ">p@ss/word", "~*", "+@all")
	server.CLI(t, "ACL", "SETUSER", "default", "off")
	for _, cfg := range []broker.Config{
		{URL: "redis://node@" + server.Addr, Password: "p@ss/word"},
		{URL: "redis://node:p%40ss%2Fword@" + server.Addr},
		{URL: "redis://node:other@" + server.Addr, Password: "p@ss/word"},
	} {
		client, err := broker.NewClient(cfg)
		require.NoError(t, err)
		defer client.Close()
		require.Equal(t, "node", client.Do(t.Context(), "ACL", "WHOAMI").Val())
	}
	wrong, err := broker.NewClient(broker.Config{URL: "redis://node@" + server.Addr, Password: "guess"})
	require.NoError(t, err)
	defer wrong.Close()
	require.ErrorContains(t, wrong.Ping(t.Context()).Err(), "WRONGPASS")
}

// Sentinels that ask for no password don't mind that of the servers.
func TestSentinelsWithoutPassword(t *testing.T) {
	s := redistest.Setup{Password: "secret"}.StartSentinel(t)
	for _, each := range s.Sentinels {
		each.CLI(t, "ACL", "SETUSER", "default", "nopass")
	}
	client, err := broker.NewClient(broker.Config{URL: s.URL, Password: "secret"})
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()).Err())
}

func TestCertificateOfAnother(t *testing.T) {
	server, other := redistest.Setup{TLS: true}.Start(t), redistest.Setup{TLS: true}.Start(t)
	for _, file := range []string{other.CAFile, ""} {
		client, err := broker.NewClient(broker.Config{URL: server.URL, CAFile: file})
		require.NoError(t, err)
		defer client.Close()
		require.ErrorContains(t, client.Ping(t.Context()).Err(), "certificate")
	}
}

func TestBadURLs(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	for _, c := range []struct {
		url, ca string
		want    []string
	}{
		{"", "", []string{`broker ""`, "want memory"}},
		{"nats://x", "", []string{`broker "nats://x"`, "want memory"}},
		{"redis://", "", []string{`address ""`}},
		{"redis://h:x", "", []string{`address "h:x"`}},
		{"redis://h:0", "", []string{`address "h:0"`}},
		{"redis://h:70000", "", []string{`address "h:70000"`}},
		{"redis://a b", "", []string{`address "a b"`}},
		{"redis://a:1,b:2", "", []string{"one address", "redis+sentinel"}},
		{"redis://h:1/notanumber", "", []string{`database "notanumber"`}},
		{"redis://h:1/-1", "", []string{`database "-1"`}},
		{"redis://u:pw@h:1/db", "", []string{`"redis://u:xxxxx@h:1/db"`, `database "db"`}},
		{"redis://u@h:1", "", []string{`user "u" needs a password`}},
		{"redis://u:p/pw@h:1", "", []string{"%2F"}},
		{"redis://u:%pw@h:1", "", []string{"redis://u:xxxxx@h:1", "no escape"}},
		{"redis://u:pw@h:1?db=2", "", []string{`redis://u:xxxxx@h:1?db=2`, `"?db=2": it takes no options`}},
		{"redis+sentinel://h:1", "", []string{"must name the primary"}},
		{"redis+sentinel://h:1,:2/main", "", []string{`address ":2"`}},
		{"redis+sentinel://h:1/main/x", "", []string{`database "x"`}},
		{"redis+cluster://h:1,h:2/1", "", []string{"only database 0"}},
		{"redis+cluster://h:1,,h:2", "", []string{`address ""`}},
		{"redis://h:1", "ca.pem", []string{`"ca.pem"`, "rediss://"}},
		{"rediss://h:1", "/does/not/exist.pem", []string{"CA file", "/does/not/exist.pem"}},
		{"rediss://h:1", empty, []string{"CA file", empty, "no certificate"}},
	} {
		_, err := broker.New(broker.Config{URL: c.url, CAFile: c.ca})
		require.Error(t, err, c.url)
		_, errClient := broker.NewClient(broker.Config{URL: c.url, CAFile: c.ca})
		require.Equal(t, err, errClient)
		for _, want := range append(c.want, "broker ") {
			require.ErrorContains(t, err, want, c.url)
		}
		require.NotContains(t, err.Error(), "pw@", c.url)
	}
}

func TestDefaultPorts(t *testing.T) {
	for url, want := range map[string]string{
		"redis://h":                    "h:6379",
		"redis://[::1]":                "[::1]:6379",
		"redis://[::1]:7000/1":         "[::1]:7000",
		"redis+sentinel://a,b:1/main":  "a:26379,b:1/main",
		"rediss+cluster://a,10.0.0.1/": "a:6379,10.0.0.1:6379",
	} {
		require.Equal(t, want, broker.TargetName(t, url))
	}
}
