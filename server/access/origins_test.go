package access

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		pattern, origin string
		want            bool
	}{
		{"https://app.example.com", "https://app.example.com", true},
		{"https://app.example.com", "https://APP.example.com", true},
		{"HTTPS://App.Example.com", "https://app.example.com", true},
		{"https://app.example.com", "http://app.example.com", false},
		{"https://app.example.com", "https://app.example.com:8443", false},
		{"https://app.example.com", "https://app.example.com.evil.example", false},
		{"https://app.example.com", "https://evil-app.example.com", false},
		{"https://app.example.com", "null", false},
		{"https://app.example.com:443", "https://app.example.com", true},
		{"https://app.example.com:8443", "https://app.example.com:8443", true},
		{"https://*.example.com", "https://a.example.com", true},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "https://.example.com", false},
		{"https://*.example.com", "https://evilexample.com", false},
		{"https://*.example.com", "https://a.example.com.evil.example", false},
		{"https://*.example.com", "http://a.example.com", false},
		{"http://localhost:*", "http://localhost:5173", true},
		{"http://localhost:*", "http://localhost", true},
		{"http://localhost:*", "http://localhost.evil.example", false},
		{"http://[::1]:8080", "http://[::1]:8080", true},
		{"http://[::1]", "http://[::1]:8080", false},
		{"app://desktop", "app://desktop", true},
		{"null", "null", true},
		{"null", "https://a.example", false},
		{"*", "https://anything.example", true},
		{"*", "null", true},
	} {
		o, err := ParseOrigins([]string{"https://other.example", c.pattern})
		require.NoError(t, err, c.pattern)
		require.Equal(t, c.want, o.Allow(c.origin), "%s with %s", c.pattern, c.origin)
		require.True(t, o.Allow(""), "no browser")
	}
	require.True(t, Origins(nil).Allow("https://anything.example"))
}

func TestParseOriginsNamesTheBadOne(t *testing.T) {
	for _, bad := range []string{
		"app.example.com", "https://", "://x", "https://a.example/", "https://a.example/path", "https://a.*.example",
		"https://*", "https://*example.com", "https://a.example:port", "https://a.example:", "https://user@a.example",
		"https://a b.example", "https://bücher.example", "https://a..example", "*.example.com", "ht*p://a.example",
	} {
		_, err := ParseOrigins([]string{"https://good.example", bad})
		require.ErrorContains(t, err, `"`+bad+`": `)
	}
}
