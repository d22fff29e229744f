package access

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForwardedFor(t *testing.T) {
	trusted, err := ParsePrefixes([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		lines []string
		want  string // empty: the proxy itself
	}{
		"none":                          {nil, ""},
		"one":                           {[]string{"198.51.100.1"}, "198.51.100.1"},
		"what the client made up":       {[]string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		"through two of ours":           {[]string{"203.0.113.9, 198.51.100.1, 10.1.2.3, 192.0.2.7"}, "198.51.100.1"},
		"in two headers":                {[]string{"203.0.113.9", "198.51.100.1,10.0.0.1"}, "198.51.100.1"},
		"the last header is all ours":   {[]string{"203.0.113.9", "10.0.0.1"}, "203.0.113.9"},
		"all ours":                      {[]string{"10.0.0.9, 10.0.0.1"}, ""},
		"IPv6":                          {[]string{"2001:db9::1, 2001:db8::1"}, "2001:db9::1"},
		"with a port":                   {[]string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6 in brackets":              {[]string{"[2001:db9::1]"}, "2001:db9::1"},
		"IPv6 with a port":              {[]string{"[2001:db9::1]:4711"}, "2001:db9::1"},
		"empty elements":                {[]string{" , 198.51.100.1, ,"}, "198.51.100.1"},
		"junk beyond the first unknown": {[]string{"<script>, 198.51.100.1"}, "198.51.100.1"},
		"IPv4 in IPv6":                  {[]string{"198.51.100.1, ::ffff:10.0.0.1"}, "198.51.100.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := forwardedFor(http.Header{"X-Forwarded-For": c.lines}, trusted)
			require.NoError(t, err)
			if c.want == "" {
				require.False(t, got.IsValid())
			} else {
				require.Equal(t, c.want, got.String())
			}
		})
	}
	_, err = forwardedFor(http.Header{"X-Forwarded-For": {"198.51.100.1, unknown"}}, trusted)
	require.ErrorContains(t, err, `"unknown"`)
}

func TestParsePrefixesNamesTheBadOne(t *testing.T) {
	for _, bad := range []string{"10.0.0.0/33", "10.0.0.1/8", "balancer", "10.0.0", "fe80::1%eth0"} {
		_, err := ParsePrefixes([]string{"10.0.0.0/8", bad})
		require.ErrorContains(t, err, `"`+bad+`"`)
	}
}
