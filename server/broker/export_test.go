package broker

import "testing"

// TargetName is what messages call the server of a URL.
func TargetName(t *testing.T, url string) string {
	t.Helper()
	target, err := parseTarget(Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return target.name
}
